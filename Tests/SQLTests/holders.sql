-- Who has a job, and who ends a lease for a worker that is gone.
select plan(31);

create role sql_tests_one login;
create role sql_tests_two login;
create role sql_tests_group;
grant sql_tests_group to sql_tests_one, sql_tests_two;
grant usage on schema beanrow to sql_tests_group;
grant execute on all functions in schema beanrow to sql_tests_group;
select beanrow.put_many('t', array['a', 'b', 'c', 'd']) \g /dev/null

-- A session is known by what it cannot choose: no setting changes who it is.
insert into beanrow.broker (epoch, host, pid, process_space) values (7, 'here', 42, 'elsewhere');
update beanrow.job set lease_epoch = 7, reserved_at = now(), reserved_until = now() + interval '1 minute' where id = 1;
select set_config(format('beanrow.holder_%s', 'beanrow.job'::regclass::oid), forged, false)
from (values ('7'), ('-7')) as way (forged) \g /dev/null
select throws_ok('select beanrow.finish(array[1])', 'BR008', null, 'what a broker''s client has is not finished');
select throws_ok('select beanrow.release(array[1])', 'BR008', null, 'nor released');
select throws_ok('select beanrow.bury(array[1])', 'BR008', null, 'nor buried');
select throws_ok('select beanrow.touch(array[1])', 'BR008', null, 'nor touched');
select throws_ok('select beanrow.finish(array[1], 7)', 'BR008', null, 'whatever the holder is called');
select is(beanrow.end_lease(1), false, 'and its lease is not ended');
select is((select state from beanrow.jobs where id = 1), 'reserved', 'it is still the client''s');
update beanrow.job set lease_epoch = null, reserved_at = null, reserved_until = null;
delete from beanrow.broker;
select results_eq('select id from beanrow.reserve($${t}$$, count => 2)', 'values (1::bigint), (2)', 'a session has jobs');
select results_eq('select lease_epoch from beanrow.job where id <= 2', 'values (-1::bigint), (-1)',
    'by a lease that is no broker''s, whoever has them');
select set_config(format('beanrow.holder_%s', 'beanrow.job'::regclass::oid), 'x', false) \g /dev/null
select is(beanrow.release(array[1, 2]), 2, 'and they are its own, whatever it sets');

-- What is left of a lease that has ended does not matter.
insert into beanrow.sql_lease (job_id, tube_id, priority, login, holder, pid, server_start, until) values
    (1, 1, 0, 'gone', 3, 1, now(), now() + interval '1 day'), (2, 1, 0, 'gone', null, 1, now(), now() - interval '1 day'),
    (999, 1, 0, 'gone', null, 1, now(), now() - interval '1 day');
select results_eq('select id from beanrow.reserve($${t}$$, count => 2, holder => 17)', 'values (1::bigint), (2)',
    'jobs are reserved over it');
select results_eq(
    'select job_id, holder, login from beanrow.sql_lease order by job_id',
    'values (1::bigint, 17::bigint, session_user), (2, 17, session_user)', 'and it is gone');
select is(beanrow.finish(array[1, 2], 17), 2, 'so they can be finished');

-- A holder belongs to its login.
set session authorization sql_tests_one;
select is((select id from beanrow.reserve('{t}', holder => 17)), 3::bigint, 'one login''s holder has a job');
set session authorization sql_tests_two;
select throws_ok('select beanrow.finish(array[3], 17)', 'BR008', null, 'another login''s is another one');
select throws_ok('select beanrow.touch(array[3], holder => 17)', 'BR008', null, 'in each call');
select is((select id from beanrow.reserve('{t}')), 4::bigint, 'the session as a holder has a job');
set session authorization sql_tests_one;
select throws_ok('select beanrow.finish(array[4])', 'BR008', null, 'which is not that of another login in its place');
set role sql_tests_group;
select is(beanrow.touch(array[3], holder => 17), 1, 'whatever role the login has taken on, it is itself');
reset role;
reset session authorization;
select results_eq(
    'select id, sql_session, sql_holder, sql_login from beanrow.jobs order by id',
    $$ values (3::bigint, pg_backend_pid(), 17::bigint, 'sql_tests_one'::name), (4, pg_backend_pid(), null, 'sql_tests_two') $$,
    'the view tells who it is');

-- A worker is gone, and its lease would go on.
select is(beanrow.end_lease(3), true, 'an operator ends the lease of a job');
select results_eq('select state, timeouts from beanrow.jobs where id = 3', $$ values ('ready', 1) $$,
    'as if its time were over');
select is(beanrow.end_lease(3), false, 'once');
select is(beanrow.end_leases_of(session => pg_backend_pid(), login => 'sql_tests_one'), 0, 'one who has none');
select is(beanrow.end_leases_of(session => pg_backend_pid()), 1, 'all those of a session');
select beanrow.put_many('t', array['e', 'f']) \g /dev/null
select count(*) from beanrow.reserve('{t}', '7 days', 3, 5) \g /dev/null
select is(beanrow.end_leases_of(holder => 6), 0, 'not of another holder');
select is(beanrow.end_leases_of(holder => 5), 3, 'all those of a holder');
select beanrow.set_policy('t', bury_after_timeouts => 3) \g /dev/null
select count(*) from beanrow.reserve('{t}', count => 2) \g /dev/null
select is(beanrow.end_leases_of(login => session_user), 2, 'all those of a login');
select results_eq(
    'select id, state, timeouts from beanrow.jobs order by id',
    $$ values (3::bigint, 'buried', 3), (4, 'buried', 3), (5, 'ready', 1), (6, 'ready', 0) $$,
    'a job that has timed out so often is buried');
select results_eq(
    'select ready, reserved, buried from beanrow.tubes', 'values (2::bigint, 0::bigint, 2::bigint)', 'and all is counted');
select is((select count(*) from beanrow.sql_lease), 0::bigint, 'no lease is left');

drop owned by sql_tests_group;
drop role sql_tests_one, sql_tests_two, sql_tests_group;
select * from finish();
