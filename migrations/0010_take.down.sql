drop function end_leases_of(integer, bigint, text), end_lease(bigint), touch(bigint[], interval, bigint),
    bury(bigint[], bigint, bigint), release(bigint[], bigint, interval, bigint), finish(bigint[], bigint),
    lock_reserved(bigint[], bigint), reserved_by_caller(bigint, bigint[]), reserve(text[], interval, integer, bigint),
    check_lease(interval), check_holder(bigint), end_leases(), end_locked_leases(bigint[]);
