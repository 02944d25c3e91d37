-- Two queues in one database know nothing of each other.
select plan(18);

select beanrow.put('t', 'of the first') as first \gset
select "Second queue".put('t', 'of the second') as second \gset
select is(:second, 1, 'ids are each queue''s own');
select results_eq('select id, "Second queue".body_text(body) from "Second queue".jobs',
    $$ values (1::bigint, 'of the second') $$, 'the second has its job');
select results_eq('select id, beanrow.body_text(body) from beanrow.jobs',
    $$ values (1::bigint, 'of the first') $$, 'the first has its own');

-- A session is a holder in each of them, and jobs with equal ids are different jobs.
select is((select id from "Second queue".reserve('{t}', '1 hour')), 1::bigint, 'the second one''s job is reserved');
select results_eq('select state from beanrow.jobs', $$ values ('ready') $$, 'the first one''s is not');
select throws_ok('select beanrow.finish(array[1])', 'BR008', null, 'nor can it be finished');
select is((select id from beanrow.reserve('{t}', '1 hour', holder => 3)), 1::bigint, 'it is reserved by somebody else');
select throws_ok('select beanrow.finish(array[1])', 'BR008', null, 'so it still cannot');
select throws_ok('select "Second queue".finish(array[1], 3)', 'BR008', null, 'nor can he finish the other');
select is("Second queue".finish(array[1]), 1, 'the session finishes its job');
select is(beanrow.finish(array[1], 3), 1, 'and he his');

-- Steering and counts.
select lives_ok($$ select "Second queue".pause('t', '1 hour') $$, 'a tube of the second is paused');
select is((select paused_until from beanrow.tubes), null, 'that of the first is not');
select count(*) from beanrow.put_many('t', array['a', 'b']) \gset
select count(*) from "Second queue".put_many('t', array['c', 'd', 'e']) \gset
select results_eq('select ready, reserved from beanrow.tubes', 'values (2::bigint, 0::bigint)', 'the first counts its jobs');
select results_eq('select ready, reserved from "Second queue".tubes', 'values (3::bigint, 0::bigint)',
    'the second counts its own');
select is("Second queue".clear('t'), 3, 'one is cleared');
select is((select count(*) from beanrow.jobs), 2::bigint, 'the other is not');
select throws_ok($$ select "Second queue".put('a b', 'x') $$, 'BR001', null, 'errors come from either');

select * from finish();
