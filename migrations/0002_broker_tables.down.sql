drop table notice, tube_awaited, tube_held, tube_count, ledger, fence, broker;
