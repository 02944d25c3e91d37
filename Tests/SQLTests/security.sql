-- The functions that run with their owner's rights do what they say, whoever calls them.
select plan(24);

-- Where they look for names.
select is_empty(
    $$ select oid::regprocedure from pg_proc
        where pronamespace = 'beanrow'::regnamespace and prosecdef
            and 'search_path=beanrow, pg_temp' <> all (coalesce(proconfig, '{}')) $$,
    'every function with its owner''s rights has a fixed search_path, with temporary tables last');
select results_eq(
    $$ select distinct proname::text collate "default" from pg_proc
        where pronamespace = 'beanrow'::regnamespace
            and 'search_path=beanrow, pg_temp' <> all (coalesce(proconfig, '{}'))
        order by 1 $$,
    $$ values ('declare_dead'), ('is_free'), ('put') $$,
    'put and is_free have none, since they become part of the statement that calls them, nor has declare_dead, which commits');
select is_empty(
    $$ select oid::regprocedure from pg_proc
        where pronamespace = 'beanrow'::regnamespace and proname = 'put' and (prosecdef or prolang <>
            (select oid from pg_language where lanname = 'sql')) $$,
    'and it has no rights of its own');
select results_eq(
    $$ select prosecdef, count(*) from pg_proc
        where pronamespace = 'beanrow'::regnamespace
            and proname in ('put_job', 'put_many', 'kick', 'kick_job', 'delete_job', 'bury_job', 'move_job', 'set_priority',
                'set_delay', 'pause', 'unpause', 'clear', 'recount', 'reserve', 'finish', 'release', 'bury', 'touch', 'end_lease',
                'end_leases_of')
        group by 1 $$,
    $$ values (true, 20::bigint) $$, 'all others that are for callers have them');
select is_empty(
    $$ select oid::regprocedure from pg_proc
        where pronamespace = 'beanrow'::regnamespace
            and (proacl is null or exists (select from aclexplode(proacl) where grantee = 0)) $$,
    'nobody may call any function unless that is granted');
select is_empty(
    $$ select relname from pg_class
        where relnamespace = 'beanrow'::regnamespace and exists (select from aclexplode(relacl) where grantee = 0) $$,
    'nor look at any table');

-- A caller who may call the functions, and means harm.
create role sql_tests_stranger;
grant usage on schema beanrow to sql_tests_stranger;
set role sql_tests_stranger;
select throws_ok($$ select beanrow.put('t', 'x') $$, '42501', null, 'a stranger may not put');
select throws_ok($$ select beanrow.clear('t') $$, '42501', null, 'nor clear');
select throws_ok($$ select * from beanrow.jobs $$, '42501', null, 'nor read');
reset role;
grant execute on all functions in schema beanrow to sql_tests_stranger;
grant create on schema public to sql_tests_stranger;
set role sql_tests_stranger;
create temporary table tube (id integer, name text, pause bigint, paused_until timestamptz);
create temporary table broker (epoch bigint, is_sole boolean, answered bigint, max_job_size bigint,
    heartbeat_at timestamptz);
create temporary table job (like tube);
create temporary table sql_change (number bigint);
create temporary table sql_lease (job_id bigint, until timestamptz);
create temporary sequence job_id start 1000000;
insert into tube values (999, 't');
insert into broker values (1, true, 0, 1000000, clock_timestamp());
create function public.convert_to(text, text) returns bytea language sql as $$ select '\x666f6f6c6564'::bytea $$;
create function public.check_tube(text) returns void language plpgsql as $$ begin raise exception 'fooled'; end $$;
create function public.clock_timestamp() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$;
set search_path to pg_temp, public, beanrow;

select beanrow.put('t', 'one') as one \gset
select count(*) from beanrow.put_many('t', array['two', 'three']) \gset
select throws_ok(format('select beanrow.put(%L, %L)', 't', repeat('x', 70000)), 'BR005', null,
    'a broker of the caller''s own allows no bigger body');
select ok(:one < 1000000, 'the id is not of the caller''s sequence');
select is(beanrow.bury_job(:one), true, 'a job is buried');
select is(beanrow.kick('t'), 1, 'and kicked');
select is(beanrow.move_job(:one, 'u'), true, 'moved');
select is(beanrow.set_priority(:one, 1), true, 'made more urgent');
select lives_ok($$ select beanrow.pause('u', '1 hour') $$, 'its tube is paused');
select lives_ok($$ select beanrow.unpause('u') $$, 'and not any more');
select is((select id from beanrow.reserve('{u}')), :one::bigint, 'it is reserved');
select is(beanrow.finish(array[:one]), 1, 'and finished');
select is(beanrow.clear('t'), 2, 'the tube is cleared');
select beanrow.put('u', 'left') as left \gset

select is((select count(*) from pg_temp.job) + (select count(*) from pg_temp.sql_change)
    + (select count(*) from pg_temp.sql_lease), 0::bigint, 'all that went past the caller''s tables');
select results_eq('select id, name, paused_until from pg_temp.tube', $$ values (999, 't', null::timestamptz) $$,
    'which are what they were');
reset role;
reset search_path;
select results_eq(
    $$ select tube collate "default", beanrow.body_text(body), created_at > now() - interval '1 minute' from beanrow.jobs $$,
    $$ values ('u', 'left', true) $$, 'and what is left is in the real ones');

-- A caller's names cannot get into a statement.
select beanrow.put('t', $$'; drop table beanrow.job; --$$) as quote \gset
select is((select beanrow.body_text(body) from beanrow.jobs where tube = 't'), $$'; drop table beanrow.job; --$$,
    'a body is a body');

drop owned by sql_tests_stranger;
drop role sql_tests_stranger;
select * from finish();
