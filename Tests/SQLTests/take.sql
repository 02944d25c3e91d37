-- Jobs reserved by SQL. Two workers share one session here, and each names its holder.
select plan(43);

create temporary view job_now as
select beanrow.body_text(body) as body, tube collate "default" as tube, state, priority, reserves, timeouts, releases, buries
from beanrow.jobs;

-- A job has one holder.
select beanrow.put('a', 'first', 5) as first \gset
select beanrow.put('a', 'second', 6) as second \gset
select results_eq(
    $$ select beanrow.body_text(body), tube collate "default", priority, reserves, timeouts, releases,
            reserved_until - clock_timestamp() between '25 s' and '30 s'
        from beanrow.reserve('{a}', '30 seconds', holder => 1) $$,
    $$ values ('first', 'a', 5::bigint, 1, 0, 0, true) $$, 'one worker has the first job');
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.reserve('{a}', count => 5, holder => 2) $$, $$ values ('second') $$,
    'another gets the second alone');
select is_empty($$ select * from beanrow.reserve('{a}', holder => 1) $$, 'nobody gets more');
select results_eq('select body, state, reserves from job_now order by body',
    $$ values ('first', 'reserved', 1), ('second', 'reserved', 1) $$, 'both are reserved');
select is((select count(*) from beanrow.jobs where sql_session = pg_backend_pid() and broker is null), 2::bigint,
    'by this session');
select throws_ok(format('select beanrow.finish(array[%s], 2)', :first), 'BR008', null,
    'a worker cannot finish what another has');
select throws_ok(format('select beanrow.finish(array[%s, %s], 1)', :first, :second), 'BR008', null,
    'nor anything together with that');
select results_eq('select count(*) from job_now', 'values (2::bigint)', 'both jobs are there');
select is(beanrow.finish(array[:first], 1), 1, 'it finishes its own');
select is(beanrow.finish(array[:second, :second], 2), 1, 'and once is enough');
select is_empty('select * from job_now', 'both are gone');
select throws_ok(format('select beanrow.finish(array[%s], 1)', :first), 'BR008', null, 'and cannot be finished again');
select is(beanrow.finish('{}'), 0, 'none is none');

-- A session is a holder by itself.
select beanrow.put('a', 'mine') as mine \gset
select is((select id from beanrow.reserve('{a}')), :mine::bigint, 'without a holder the session is it');
select throws_ok(format('select beanrow.release(array[%s], holder => 1)', :mine), 'BR008', null, 'nobody else');
select is(beanrow.finish(array[:mine]), 1, 'so it finishes its job without saying who it is');

-- Priorities over several tubes.
do $$ begin
    perform beanrow.put('x', 'x5', 5), beanrow.put('y', 'y1', 1), beanrow.put('z', 'z3', 3), beanrow.put('y', 'y5', 5),
        beanrow.put('x', 'x5 too', 5), beanrow.put('x', 'x0', 0), beanrow.put('other', 'other', 0);
end $$;
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.reserve('{x,y,z,nowhere}', count => 4, holder => 1) $$,
    $$ values ('x0'), ('y1'), ('z3'), ('x5') $$, 'the smallest priority goes first, whatever the tube');
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.reserve('{z,y,x}', count => 100, holder => 1) $$,
    $$ values ('y5'), ('x5 too') $$, 'then the smallest id');
select is_empty($$ select * from beanrow.reserve('{x,y}', count => 0) $$, 'a count of 0 takes nothing');
select is_empty($$ select * from beanrow.reserve('{}') $$, 'and no tube gives nothing');
select is(
    (select beanrow.release(array_agg(id), delay => '0', holder => 1) from beanrow.jobs where state = 'reserved'), 6,
    'all go back');
select beanrow.pause('y', '1 hour'), beanrow.put('y', 'delayed', delay => '1 hour') \gset paused_
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.reserve('{x,y,z}', count => 3, holder => 1) $$,
    $$ values ('x0'), ('z3'), ('x5') $$, 'a paused tube gives nothing');
select results_eq(
    'select name collate "default", ready, delayed, reserved, buried from beanrow.tubes order by name',
    $$ values ('a', 0::bigint, 0::bigint, 0::bigint, 0::bigint), ('other', 1, 0, 0, 0), ('x', 1, 0, 2, 0), ('y', 2, 1, 0, 0),
        ('z', 0, 0, 1, 0) $$, 'the tubes count all that');

-- The end of a reservation.
select id as x0 from beanrow.jobs where beanrow.body_text(body) = 'x0' \gset
select id as z3 from beanrow.jobs where beanrow.body_text(body) = 'z3' \gset
select id as x5 from beanrow.jobs where beanrow.body_text(body) = 'x5' \gset
select is(beanrow.release(array[:x0], 9, '1 hour', 1), 1, 'it is released with another priority and a delay');
select is(beanrow.bury(array[:z3], holder => 1), 1, 'or buried');
select is(beanrow.bury(array[:x5], 4000, 1), 1, 'with another priority');
select results_eq(
    $$ select body, state, priority, reserves, releases, buries from job_now where body in ('x0', 'z3', 'x5') order by body $$,
    $$ values ('x0', 'delayed', 9::bigint, 2, 2, 0), ('x5', 'buried', 4000, 2, 1, 1), ('z3', 'buried', 3, 2, 1, 1) $$,
    'which the views tell');
select results_eq(
    $$ select name collate "default", ready, delayed, reserved, buried from beanrow.tubes where name in ('x', 'z') order by name $$,
    $$ values ('x', 1::bigint, 1::bigint, 0::bigint, 1::bigint), ('z', 0, 0, 0, 1) $$, 'and count');

-- A lease ends. Nothing waits here: the lease is changed to one that began a while ago.
create function pg_temp.let_pass(length interval) returns void language sql as $$
    update beanrow.sql_lease set until = until - length;
    update beanrow.job set reserved_until = reserved_until - length where lease_epoch < 0;
$$;
select beanrow.put('lease', 'slow') as slow \gset
select is((select id from beanrow.reserve('{lease}', '1 hour', holder => 1)), :slow::bigint, 'a worker takes a job');
select pg_temp.let_pass('59 minutes') \gset
select is_empty($$ select * from beanrow.reserve('{lease}', holder => 2) $$, 'and has it for as long as it said');
select is(beanrow.touch(array[:slow], '1 hour', 1), 1, 'it may ask for more');
select pg_temp.let_pass('59 minutes') \gset
select is_empty($$ select * from beanrow.reserve('{lease}', holder => 2) $$, 'and has that too');
select pg_temp.let_pass('2 minutes') \gset
select results_eq($$ select state, reserves, timeouts from job_now where tube = 'lease' $$, $$ values ('ready', 1, 0) $$,
    'then its time is over');
select results_eq(
    $$ select ready, reserved from beanrow.tubes where name = 'lease' $$, $$ values (1::bigint, 0::bigint) $$,
    'which its tube knows');
select results_eq(
    $$ select beanrow.body_text(body), reserves, timeouts from beanrow.reserve('{lease}', holder => 2) $$,
    $$ values ('slow', 2, 1) $$, 'the next worker has the job, and is told of the timeout');
select throws_ok(format('select beanrow.finish(array[%s], 1)', :slow), 'BR008', null, 'the first one has lost it');
select throws_ok(format('select beanrow.touch(array[%s], holder => 1)', :slow), 'BR008', null, 'for good');
select is(beanrow.finish(array[:slow], 2), 1, 'the second finishes it');

-- A transaction that is rolled back has reserved and finished nothing.
select beanrow.put('tx', 'job') as tx \gset
begin;
select id from beanrow.reserve('{tx}', holder => 1) \gset tx_
select beanrow.finish(array[:tx], 1) as finished \gset
select is((select count(*) from beanrow.jobs where tube = 'tx'), 0::bigint, 'inside it is gone');
rollback;
select results_eq($$ select state, reserves from job_now where tube = 'tx' $$, $$ values ('ready', 0) $$,
    'afterwards it was never taken');
select results_eq($$ select ready, reserved from beanrow.tubes where name = 'tx' $$, $$ values (1::bigint, 0::bigint) $$,
    'nor counted so');
select is((select count(*) from beanrow.sql_lease), 0::bigint, 'no lease is left');
select results_eq(
    'select name collate "default", ready, delayed, reserved, buried from beanrow.tubes order by name',
    $$ select tube.name collate "default", count(*) filter (where state = 'ready'), count(*) filter (where state = 'delayed'),
            count(*) filter (where state = 'reserved'), count(*) filter (where state = 'buried')
        from beanrow.tubes as tube left join beanrow.jobs on jobs.tube = tube.name group by tube.name order by tube.name $$,
    'and all counts are those of the jobs');

select * from finish();
