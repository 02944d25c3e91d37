-- What SQL sessions have reserved is ready again.
update job set lease_epoch = null, reserved_at = null, reserved_until = null where lease_epoch < 0;
delete from sql_lease;

drop function end_leases_of(integer, bigint, text), end_lease(bigint), touch(bigint[], interval, bigint),
    bury(bigint[], bigint, bigint), release(bigint[], bigint, interval, bigint), finish(bigint[], bigint),
    own_jobs(bigint[], bigint), leased_to(bigint, bigint[]), reserve(text[], interval, integer, bigint),
    check_lease(interval), check_holder(bigint), end_leases(), end_locked_leases(bigint[]);
