drop function recount(text), clear(text, integer, text), delete_locked(bigint[], integer, smallint), unpause(text),
    pause(text, interval), set_pause(text, bigint, interval), kick(text, integer), set_delay(bigint, interval),
    set_priority(bigint, bigint), move_job(bigint, text), bury_job(bigint, bigint), delete_job(bigint), kick_job(bigint),
    lock_job(bigint), who_has(job), recall_leases();
