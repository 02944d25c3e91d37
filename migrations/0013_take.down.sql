-- What SQL sessions have reserved is ready again.
update job set lease_epoch = null, reserved_at = null, reserved_until = null where lease_epoch < 0;
delete from sql_lease;

drop function end_leases_of, end_lease, touch, bury, release, finish, own_jobs, leased_to, reserve, check_lease, check_holder,
    end_leases, end_locked_leases;
