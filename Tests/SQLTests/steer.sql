-- Jobs steered by SQL, with no broker.
select plan(57);

create temporary view job_now as
select beanrow.body_text(body) as body, tube collate "default" as tube, state, priority, delay, releases, buries, kicks
from beanrow.jobs;
create temporary view tube_now as
select name collate "default" as name, ready, delayed, reserved, buried, paused_until from beanrow.tubes;
-- The numbers of jobs by their rows, to be compared with the counts.
create temporary view tube_true as
select
    tube collate "default" as name, count(*) filter (where state = 'ready') as ready,
    count(*) filter (where state = 'delayed') as delayed, count(*) filter (where state = 'reserved') as reserved,
    count(*) filter (where state = 'buried') as buried
from beanrow.jobs group by tube;

-- One job through all states.
select beanrow.put('t', 'one', 5, '1 hour') as one \gset
select is(beanrow.kick_job(:one), true, 'a delayed job is kicked');
select results_eq('select state, kicks from job_now', $$ values ('ready', 1) $$, 'and is ready');
select ok((select ready_at between now() - interval '1 minute' and clock_timestamp() from beanrow.jobs), 'since now');
select is(beanrow.kick_job(:one), false, 'a ready one is not');
select results_eq('select state, kicks from job_now', $$ values ('ready', 1) $$, 'and stays what it is');
select is(beanrow.bury_job(:one), true, 'a ready job is buried');
select results_eq('select state, priority, buries from job_now', $$ values ('buried', 5::bigint, 1) $$, 'with its priority');
select is(beanrow.bury_job(:one, 9), false, 'a buried one is not');
select results_eq('select priority, buries from job_now', $$ values (5::bigint, 1) $$, 'nor gets another priority');
select is(beanrow.set_delay(:one, '1 hour'), false, 'nor a delay');
select is(beanrow.set_priority(:one, 7), true, 'but by itself it may get one');
select is(beanrow.kick_job(:one), true, 'a buried job is kicked');
select results_eq('select state, priority, kicks from job_now', $$ values ('ready', 7::bigint, 2) $$, 'and is ready with it');
select is(beanrow.set_delay(:one, '2 hours'), true, 'a ready job is delayed');
select results_eq('select state, delay from job_now', $$ values ('delayed', '2 hours'::interval) $$, 'for so long');
select ok((select ready_at - clock_timestamp() between '119 minutes' and '2 hours' from beanrow.jobs), 'from now on');
select is(beanrow.bury_job(:one, 3), true, 'a delayed job is buried, with another priority');
select is(beanrow.move_job(:one, 'u'), true, 'a buried job is moved');
select results_eq('select tube, state, priority, buries from job_now', $$ values ('u', 'buried', 3::bigint, 2) $$,
    'and is buried there');
select results_eq(
    'select name, ready, delayed, reserved, buried from tube_now order by name',
    $$ values ('t', 0::bigint, 0::bigint, 0::bigint, 0::bigint), ('u', 0, 0, 0, 1) $$, 'both tubes count that');
select is(beanrow.move_job(:one, 'u'), true, 'it may be moved where it is');
select is(beanrow.delete_job(:one), true, 'a job is deleted');
select is_empty('select * from job_now', 'and gone');
select throws_ok(format('select beanrow.delete_job(%s)', :one), 'BR006', null, 'it cannot be deleted twice');
select results_eq(
    'select name, ready, delayed, reserved, buried from tube_now order by name',
    $$ values ('t', 0::bigint, 0::bigint, 0::bigint, 0::bigint), ('u', 0, 0, 0, 0) $$, 'nothing is left');

-- With a delay of 0 a job becomes ready.
select beanrow.put('t', 'late', delay => '1 hour') as late \gset
select is(beanrow.set_delay(:late, '0'), true, 'a delay of 0');
select results_eq('select state from job_now', $$ values ('ready') $$, 'is none');
select is(beanrow.delete_job(:late), true, 'away with it');

-- A whole tube is kicked: buried jobs first, in the order of their burial.
do $$ begin perform beanrow.put('k', name, delay => '1 hour') from unnest(array['a', 'b', 'c', 'd', 'e']) as name; end $$;
do $$ begin
    perform beanrow.bury_job(id) from beanrow.jobs where tube = 'k' and beanrow.body_text(body) = 'c';
    perform beanrow.bury_job(id) from beanrow.jobs where tube = 'k' and beanrow.body_text(body) = 'b';
    perform beanrow.bury_job(id) from beanrow.jobs where tube = 'k' and beanrow.body_text(body) = 'a';
    perform beanrow.set_delay(id, '10 minutes') from beanrow.jobs where tube = 'k' and beanrow.body_text(body) = 'e';
end $$;
select is(beanrow.kick('k', 2), 2, 'two of the buried');
select results_eq($$ select body from job_now where state = 'ready' order by body $$, $$ values ('b'), ('c') $$,
    'the first buried go first');
select is(beanrow.kick('k', 100), 1, 'while one is buried, none of the delayed is kicked');
select is(beanrow.kick('k'), 1, 'then one, unless it is said how many');
select results_eq($$ select body from job_now where state = 'delayed' $$, $$ values ('d') $$, 'the soonest');
select is(beanrow.kick('k', 0), 0, 'or none');
select is(beanrow.kick('k', -1), 0, 'or fewer');
select is(beanrow.kick('k', 100), 1, 'the last');
select is(beanrow.kick('k', 100), 0, 'and nothing is left to be kicked');
select results_eq(
    $$ select name, ready, delayed, reserved, buried from tube_now where name = 'k' $$,
    $$ values ('k', 5::bigint, 0::bigint, 0::bigint, 0::bigint) $$, 'all are ready');

-- Pauses.
select lives_ok($$ select beanrow.pause('k', '10 minutes') $$, 'a tube is paused');
select ok((select paused_until - clock_timestamp() between '9 minutes' and '10 minutes' from tube_now where name = 'k'),
    'for so long');
select is_empty($$ select * from beanrow.reserve('{k}') $$, 'and gives out nothing');
select lives_ok($$ select beanrow.unpause('k') $$, 'the pause is ended');
select is((select paused_until from tube_now where name = 'k'), null, 'at once');
select lives_ok($$ select beanrow.unpause('k') $$, 'even if there is none');

-- A job that a client has reserved is not changed.
select id as held from beanrow.reserve('{k}', '1 hour', holder => 1) \gset
select results_eq(
    format(
        'select beanrow.kick_job(%1$s), beanrow.bury_job(%1$s), beanrow.delete_job(%1$s), beanrow.move_job(%1$s, %2$L),'
            ' beanrow.set_priority(%1$s, 1), beanrow.set_delay(%1$s, %3$L)', :held, 'elsewhere', '1 hour'),
    'values (false, false, false, false, false, false)', 'no function touches a reserved job');
select results_eq(
    format('select state, priority, reserves, buries from beanrow.jobs where id = %s', :held),
    $$ values ('reserved', 1024::bigint, 1, 1) $$, 'and it stays what it is');
select is((select count(*) from tube_now where name = 'elsewhere'), 0::bigint, 'nor is a tube made for it');

-- A tube is cleared except for that job.
do $$ begin
    perform beanrow.put_many('k', array_fill('delayed'::text, array[20]), delay => '1 hour');
    perform beanrow.bury_job(id) from (select id from beanrow.jobs where tube = 'k' and state = 'delayed' limit 10) as ten;
end $$;
select results_eq(
    $$ select ready, delayed, reserved, buried from tube_now where name = 'k' $$,
    $$ values (4::bigint, 10::bigint, 1::bigint, 10::bigint) $$, 'of each state some');
select is(beanrow.clear('k', 3), 3, 'some of them');
select is(beanrow.clear('k', state => 'buried'), 10, 'those that are buried');
select is(beanrow.clear('k'), 11, 'and the rest');
select results_eq(
    $$ select ready, delayed, reserved, buried from tube_now where name = 'k' $$,
    $$ values (0::bigint, 0::bigint, 1::bigint, 0::bigint) $$, 'but for the reserved one');
select results_eq(
    'select * from tube_true', $$ select name, ready, delayed, reserved, buried from tube_now where name = 'k' $$,
    'which is the truth');

-- Jobs that somebody has deleted from the table are still counted, until a recount.
do $$ begin
    perform beanrow.put_many('r', array['a', 'b', 'c']);
    perform beanrow.put('r', 'd', 5, '1 hour');
end $$;
delete from beanrow.job where id in (select id from beanrow.jobs where tube = 'r' and beanrow.body_text(body) in ('a', 'd'));
select results_eq(
    $$ select * from beanrow.recount('r') $$, $$ values ('r'::text, 0::bigint, -1::bigint, -1::bigint, 0::bigint) $$,
    'what was wrong is told');
select results_eq(
    $$ select ready, delayed from tube_now where name = 'r' $$, $$ values (2::bigint, 0::bigint) $$, 'and mended');
select is_empty('select * from beanrow.recount()', 'once');
select throws_ok($$ select beanrow.recount('nowhere') $$, 'BR001', null, 'in a tube that there is');

select * from finish();
