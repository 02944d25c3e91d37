drop view tubes, jobs, brokers;
drop table tube_held, tube_count, ledger, job, broker, tube;
drop sequence job_bury_order, job_id, broker_epoch;
drop function broker_lives(bigint), stamp();
