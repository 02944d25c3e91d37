drop function set_delays(bigint[], interval), set_priorities(bigint[], bigint), move_jobs(bigint[], text),
    bury_jobs(bigint[], bigint), kick_jobs(bigint[]), delete_jobs(bigint[]), open_batch(bigint[]);
drop table audit;
drop table operation;
