drop function set_delays(bigint[], interval), set_priorities(bigint[], bigint), move_jobs(bigint[], text),
    bury_jobs(bigint[], bigint), kick_jobs(bigint[]), delete_jobs(bigint[]), open_batch(boolean);
drop index job_history_id, job_history_finished;
drop view actions;
drop table audit;
drop table operation;
