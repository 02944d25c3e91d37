drop table notice, tube_awaited;
