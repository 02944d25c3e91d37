-- Many calls without a broker: what they lock, and what they leave.
select plan(13);

-- Locks of one transaction, whatever the number of names.
create temporary view lock_now as select locktype, relation from pg_locks where pid = pg_backend_pid();
begin;
select count(beanrow.put('keys', 'x', key => 'k' || n)) from generate_series(1, 10000) as n \g /dev/null
select cmp_ok((select count(*) from lock_now), '<', 60::bigint, '10,000 keys take no lock each');
select count(beanrow.put('tube' || n, 'x')) from generate_series(1, 5000) as n \g /dev/null
select cmp_ok((select count(*) from lock_now), '<', 60::bigint, 'nor do 5,000 new tubes');
select count(*) from beanrow.reserve('{keys}') \g /dev/null
select beanrow.pause('keys', '1 hour'), beanrow.set_policy('keys', history => '1 day'), beanrow.kick('keys'),
    beanrow.clear('keys', 10), beanrow.keep_history() \g /dev/null
select is_empty($$ select from lock_now where locktype = 'advisory' $$,
    'nothing takes a lock that any login could hold');
rollback;
select is_empty(
    $$ select oid::regprocedure from pg_proc where pronamespace = 'beanrow'::regnamespace and prosrc like '%advisory%' $$,
    'nor does any function know of one');

-- A key within one statement.
select results_eq(
    $$ select count(distinct id) from (select beanrow.put('k', 'x', key => 'k' || n % 10) as id from generate_series(1, 100) as n) as put $$,
    'values (10::bigint)', 'a key has one job, however often it is put');

-- Changes that no broker folds.
select beanrow.put_many('u', array['a', 'b', 'c']) \g /dev/null
do $$
begin
    for n in 1..120 loop
        for m in 1..100 loop perform beanrow.put('t' || m % 10, 'x', m); end loop;
        commit;
    end loop;
end $$;
select cmp_ok((select count(*) from beanrow.sql_change), '<', 4000::bigint, '12,000 puts leave few rows');
select results_eq(
    $$ select count(*), sum(ready) from beanrow.tubes where name like 't_' $$, 'values (10::bigint, 12000::numeric)',
    'which say what they are to say');
select results_eq(
    $$ select min(priority), min(job_id), sum(urgent), sum(ready) from beanrow.sql_change
        join beanrow.tube on tube.id = tube_id where name = 't7' $$,
    $$ select min(priority), min(id), count(*), count(*)::bigint from beanrow.jobs where tube = 't7' $$,
    'and which job is the first');
select is((select ready from beanrow.tubes where name = 'u'), 3::bigint, 'nothing is lost of what was there before');
-- Many calls in one transaction.
select count(beanrow.put('one', 'x')) from generate_series(1, 10000) \g /dev/null
select cmp_ok((select count(*) from beanrow.sql_change join beanrow.tube on tube.id = tube_id where name = 'one'), '<',
    4000::bigint, 'one transaction folds its own');
select is((select ready from beanrow.tubes where name = 'one'), 10000::bigint, 'and they are counted');
-- The same with calls of workers.
do $$
begin
    for n in 1..2000 loop
        perform beanrow.finish(array(select id from beanrow.reserve('{one}', count => 2)));
        perform beanrow.finish(array(select id from beanrow.reserve('{t1}')));
        commit;
    end loop;
end $$;
select cmp_ok((select count(*) from beanrow.sql_change), '<', 4000::bigint, 'work that is done leaves few too');
select results_eq($$ select name collate "default", ready from beanrow.tubes where name in ('one', 't1') order by name $$,
    $$ values ('one', 6000::bigint), ('t1', 0) $$, 'and is counted');

select * from finish();
