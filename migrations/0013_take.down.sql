-- What SQL sessions have reserved is ready again.
update job set lease_epoch = null, reserved_at = null, reserved_until = null where lease_epoch < 0;
delete from sql_lease;

drop function touch, bury, release, finish, own_jobs, reserve, sql_holder, end_leases;
