-- The views are what the documentation promises, and tell the truth after every change.
select plan(51);

-- The contract.
select views_are('beanrow', '{jobs,tubes,brokers,history,tube_policies,warnings,samples,samples_5min,actions,ledger_change,uncounted_change}',
    'these views, and two for functions and brokers');
select columns_are('beanrow', 'jobs', array['id', 'tube', 'state', 'priority', 'body', 'created_at', 'ready_at',
    'reserved_at', 'reserved_until', 'ttr', 'delay', 'reserves', 'timeouts', 'releases', 'buries', 'kicks', 'broker',
    'sql_session', 'sql_holder', 'sql_login'], 'of jobs these columns');
select columns_are('beanrow', 'tubes', array['name', 'ready', 'delayed', 'reserved', 'buried', 'oldest_ready_at',
    'paused_until'], 'of tubes these');
select columns_are('beanrow', 'brokers', array['epoch', 'host', 'pid', 'started_at', 'heartbeat_at', 'alive', 'sole',
    'max_job_size'], 'of brokers these');
select columns_are('beanrow', 'history', array['id', 'tube', 'outcome', 'state', 'priority', 'created_at',
    'first_reserved_at', 'last_reserved_at', 'finished_at', 'waited', 'worked', 'ttr', 'reserves', 'timeouts',
    'releases', 'buries', 'kicks', 'body'], 'of history these');
select columns_are('beanrow', 'tube_policies', array['tube', 'bury_after_timeouts', 'bury_after_releases', 'max_ready',
    'history', 'history_body'], 'of tube_policies these');
select columns_are('beanrow', 'warnings', array['warning', 'object', 'since', 'amount', 'unit', 'hint'],
    'of warnings these');
select columns_are('beanrow', name, array['at', 'tube', 'puts', 'reserves', 'deletes', 'releases', 'buries', 'kicks',
    'timeouts', 'body_bytes', 'urgent', 'ready', 'reserved', 'delayed', 'buried', 'oldest_ready_at', 'waited', 'worked'],
    'of ' || name || ' these')
from unnest(array['samples', 'samples_5min']) as name;
select columns_are('beanrow', 'actions', array['id', 'at', 'viewer', 'action', 'object', 'arguments', 'changed', 'error'],
    'of actions these');
select is_empty(
    $$ select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid
        where relnamespace = 'beanrow'::regnamespace and relkind = 'v' and attnum > 0
            and coalesce(col_description(attrelid, attnum), '') !~ '^.{5,}\.$' $$,
    'each with a sentence about it');
select is_empty(
    $$ select relname from pg_class
        where relnamespace = 'beanrow'::regnamespace and relkind = 'v'
            and coalesce(obj_description(oid, 'pg_class'), '') !~ '^.{10,}\.$' $$,
    'and one about each view');
select is_empty(
    $$ select relname, attname from pg_class
        left join pg_attribute on attrelid = pg_class.oid and attnum > 0
        where relnamespace = 'beanrow'::regnamespace and relkind in ('r', 'p')
            and (attname is not null and coalesce(col_description(attrelid, attnum), '') !~ '^.{5,}\.$'
                or coalesce(obj_description(pg_class.oid, 'pg_class'), '') !~ '^.{5,}\.$')
            and relname !~ '^(job_history|tube_sample|tube_sample_5min)_[0-9]{6}' $$,
    'and one about each table and each of its columns');
select is_empty(
    $$ select oid::regprocedure from pg_proc
        where pronamespace = 'beanrow'::regnamespace
            and proname in ('put', 'put_many', 'kick', 'kick_job', 'delete_job', 'bury_job', 'move_job', 'set_priority',
                'set_delay', 'pause', 'unpause', 'clear', 'recount', 'reserve', 'finish', 'release', 'bury', 'touch', 'body_text',
                'body_json')
            and coalesce(obj_description(oid, 'pg_proc'), '') !~ '^.{10,}\.$' $$,
    'and one about each function that is for callers');

-- After every change the counts are those of the jobs.
create function counted(change text, after text) returns setof text language plpgsql as $fn$
begin
    execute change;
    return next results_eq(
        'select name collate "default", ready, delayed, reserved, buried from beanrow.tubes order by name',
        $$ select tubes.name collate "default", count(*) filter (where state = 'ready'),
                count(*) filter (where state = 'delayed'), count(*) filter (where state = 'reserved'),
                count(*) filter (where state = 'buried')
            from beanrow.tubes left join beanrow.jobs on jobs.tube = tubes.name
            group by tubes.name order by tubes.name $$, after);
end $fn$;
create function one(wanted text) returns bigint language sql as $$
    select min(id) from beanrow.jobs where state = wanted
$$;

select counted($$ select beanrow.put('a', 'x') from generate_series(1, 8) $$, 'counts after put');
select counted($$ select beanrow.put('a', 'x', 2000, '1 hour') from generate_series(1, 8) $$, 'a delayed put');
select counted($$ select beanrow.put_many('a', array['x', 'y']) $$, 'put_many');
select counted($$ select beanrow.put_many('b', array['x', 'y'], delay => '1 hour') $$, 'a delayed put_many');
select counted($$ select beanrow.bury_job(one('ready')) $$, 'bury_job of a ready job');
select counted($$ select beanrow.bury_job(one('delayed'), 1) $$, 'of a delayed one');
select counted($$ select beanrow.move_job(one('ready'), 'c') $$, 'move_job of a ready one');
select counted($$ select beanrow.move_job(one('delayed'), 'c') $$, 'of a delayed one');
select counted($$ select beanrow.move_job(one('buried'), 'c') $$, 'of a buried one');
select counted($$ select beanrow.set_priority(one('ready'), 1) $$, 'set_priority');
select counted($$ select beanrow.set_delay(one('ready'), '1 hour') $$, 'set_delay');
select counted($$ select beanrow.set_delay(one('delayed'), '0') $$, 'set_delay to none');
select counted($$ select beanrow.reserve('{a}', '1 hour', 4, 1) $$, 'reserve');
select counted($$ select beanrow.touch(array[one('reserved')], '1 hour', 1) $$, 'touch');
select counted($$ select beanrow.finish(array[one('reserved')], 1) $$, 'finish');
select counted($$ select beanrow.release(array[one('reserved')], holder => 1) $$, 'release');
select counted($$ select beanrow.reserve('{a}', '1 hour', 1, 1) $$, 'reserve again');
select counted($$ select beanrow.release(array[one('reserved')], 3, '1 hour', 1) $$, 'release with a delay');
select counted($$ select beanrow.bury(array[one('reserved')], 5000, 1) $$, 'bury');
select counted($$ select beanrow.kick('a') $$, 'kick');
select counted($$ select beanrow.kick_job(one('delayed')) $$, 'kick_job of a delayed job');
select counted($$ select beanrow.kick_job(one('buried')) $$, 'of a buried one');
select counted($$ select beanrow.delete_job(one('ready')) $$, 'delete_job of a ready job');
select counted($$ select beanrow.delete_job(one('delayed')) $$, 'of a delayed one');
select counted($$ select beanrow.clear('a', 2) $$, 'clear of some');
select counted($$ select beanrow.clear('a') $$, 'clear of all that is not reserved');
select results_eq(
    $$ select ready, delayed, reserved, buried from beanrow.tubes where name = 'a' $$,
    $$ values (0::bigint, 0::bigint, 1::bigint, 0::bigint) $$, 'which leaves the reserved one');

-- Waiting, and pauses.
select beanrow.put('d', 'old') as old \gset
select beanrow.put('d', 'young') as young \gset
select results_eq(
    $$ select oldest_ready_at from beanrow.tubes where name = 'd' $$,
    format('select ready_at from beanrow.jobs where id = %s', :old), 'a tube knows since when its oldest job waits');
select beanrow.pause('d', '1 hour') \gset
select ok((select paused_until > clock_timestamp() + interval '59 minutes' from beanrow.tubes where name = 'd'),
    'and until when it is paused');

-- Jobs that a client of a broker has, as long as the broker is heard of.
insert into beanrow.broker (epoch, host, pid, process_space) values (7, 'here', 42, 'elsewhere');
update beanrow.job set lease_epoch = 7, reserved_at = now(), reserved_until = now() + interval '1 minute' where id = :old;
update beanrow.job set lease_epoch = 7 where id = :young;
select results_eq(
    $$ select beanrow.body_text(body), state, broker, reserved_until - reserved_at from beanrow.jobs where tube = 'd' order by id $$,
    $$ values ('old', 'reserved', 7::bigint, '1 minute'::interval), ('young', 'ready', null, null) $$,
    'what a broker has in mind is ready, what its client has is reserved');
update beanrow.broker set heartbeat_at = now() - interval '6 seconds';
select results_eq(
    $$ select state, broker, reserved_until from beanrow.jobs where tube = 'd' order by id $$,
    $$ values ('ready', null::bigint, null::timestamptz), ('ready', null, null) $$, 'of a dead broker all are ready');
select results_eq($$ select host, pid, alive, sole from beanrow.brokers $$, $$ values ('here', 42, false, false) $$,
    'and it is not alive');
call beanrow.declare_dead();
select is_empty('select * from beanrow.brokers', 'so it is declared dead');
select is(beanrow.delete_job(:young), true, 'what a dead one had may be steered');
select is(beanrow.delete_job(:old), true, 'whoever held it');

-- Bodies.
select results_eq(
    $$ select beanrow.body_json(body)::text, beanrow.body_text(body) is not null
        from unnest(array['{"a": 1}', '"\u0000"', '{', '', '\xff', '\x00', repeat('[', 100000), '"a"']::text[]) as put (said),
            convert_to(put.said, 'UTF8') as body $$,
    $$ values ('{"a": 1}', true), (null, true), (null, true), (null, true), (null, true), (null, true), (null, true), ('"a"', true) $$,
    'any body may be asked whether it is JSON');
select results_eq(
    $$ select beanrow.body_text(body) from unnest(array['\x61', '\x00', '\xff', '\xc3', '']::bytea[]) as body $$,
    $$ values ('a'), (null), (null), (null), ('') $$, 'or text');

select * from finish();
