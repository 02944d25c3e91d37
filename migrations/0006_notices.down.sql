drop table tube_awaited;
