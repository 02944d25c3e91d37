-- What brokers call besides the statements of their own. They do not wait for the end of a caller's transaction: what
-- would have to wait is answered at once, and asked for again.

-- MARK: Tubes

-- Has a tube that a broker has made counted from the beginning: by its counts it is found when it may be removed again.
create function count_new_tube(tube integer) returns void
language sql set search_path from current
as $$ insert into tube_count (tube_id, urgent, ready, delayed, buried) values (tube, 0, 0, 0, 0) on conflict do nothing $$;

-- Returns the tube of this name, and makes it if it is missing; one that is about to be removed stays then. No row while
-- a transaction makes this tube.
create function make_tube(name text, out id integer, out is_new boolean) returns setof record
language plpgsql set search_path from current set lock_timeout to '1ms'
as $$
#variable_conflict use_column
begin
    update tube set remover = null where tube.name = make_tube.name and remover is not null;
    select tube.id, false into id, is_new from tube where tube.name = make_tube.name;
    if id is null then
        insert into tube (name) values (make_tube.name) on conflict (name) do nothing
        returning tube.id, true into id, is_new;
        if id is not null then perform count_new_tube(id); end if;
    end if;
    if id is not null then return next; end if;
exception
    when lock_not_available then null;
end $$;

-- Pauses the tube of this name, which is made if it is missing; 0 seconds end a pause. No row while a transaction makes
-- or pauses this tube.
create function pause_tube(name text, seconds bigint, out id integer, out is_new boolean) returns setof record
language plpgsql set search_path from current set lock_timeout to '1ms'
as $$
#variable_conflict use_column
begin
    insert into tube (name, pause, paused_until)
    values (
        pause_tube.name, nullif(pause_tube.seconds, 0),
        case when pause_tube.seconds > 0 then now() + pause_tube.seconds * interval '1 second' end)
    on conflict (name) do update set
        pause = excluded.pause, paused_until = excluded.paused_until, remover = null
    returning tube.id, xmax = 0 into id, is_new;
    if is_new then perform count_new_tube(id); end if;
    return next;
exception
    when lock_not_available then null;
end $$;

-- Removes tubes without jobs, policy and pause that no client uses; else each name that was ever used would stay.
--
-- The broker has marked them before (tube.remover). From then on no put finds them: it asks for the row again, which takes
-- the mark away, or makes another row. When all transactions are over that may have found them before, this removes those
-- that are still marked and empty, and leaves notices for the other brokers. Returns those that it has removed.
create function remove_tubes(own bigint, tubes integer[]) returns table (id integer)
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set enable_hashjoin to off set enable_mergejoin to off
    set jit to off
as $$
#variable_conflict use_column
declare
    uncounted integer[] := array(select tube_id from sql_change union select unnest(ledger.tube_ids) from ledger);
    empty integer[];
begin
    empty := array(
        select tube.id from tube
        where tube.id = any (remove_tubes.tubes) and remover = remove_tubes.own and tube.id <> all (uncounted)
            and (paused_until is null or paused_until <= clock_timestamp())
            -- By state: each has an index of its own.
            and not exists (select from job where tube_id = tube.id and state = 0)
            and not exists (select from job where tube_id = tube.id and state = 1)
            and not exists (select from job where tube_id = tube.id and state = 2)
            and not exists (select from tube_policy where tube_id = tube.id)
            and not exists (
                select from tube_count
                where tube_id = tube.id and (ready <> 0 or delayed <> 0 or buried <> 0))
        -- A transaction that sets a policy, or puts with a key, has it locked.
        for update skip locked);
    delete from tube where tube.id = any (empty);
    delete from tube_count where tube_id = any (empty);
    update tube set remover = null where tube.id = any (remove_tubes.tubes) and remover = remove_tubes.own;
    insert into notice (epoch, tube_id)
    select epoch, gone.id from broker cross join unnest(empty) as gone (id) where epoch <> remove_tubes.own;
    return query select unnest(empty);
end $$;

-- MARK: Puts with a key

-- Puts a job with a key; false when a job has the key, or a transaction that is open puts one with it. Many clients may
-- ask for one key at a time: this transaction remembers which keys it could not lock (beanrow.contested).
create function put_unique(
    tube integer, key text, id bigint, priority bigint, delay bigint, ttr bigint, body bytea
) returns boolean
language plpgsql set search_path from current set lock_timeout to '1ms'
as $$
#variable_conflict use_column
declare
    contested text := coalesce(current_setting('beanrow.contested', true), '');
    own text := format(' %s/%s ', put_unique.tube, put_unique.key);
begin
    if position(own in contested) > 0 then return false; end if;
    insert into job (id, tube_id, key, priority, state, ttr, delay, created_at, due_at, body)
    values (
        put_unique.id,
        -- Null for a tube that is about to be removed, which the column refuses. Others are locked against that.
        (select tube.id from tube where tube.id = put_unique.tube and remover is null for key share),
        put_unique.key, put_unique.priority, (put_unique.delay > 0)::integer,
        put_unique.ttr, put_unique.delay, now(), now() + put_unique.delay * interval '1 second', put_unique.body)
    on conflict (tube_id, key) where key is not null do nothing;
    return found;
exception
    when lock_not_available then
        perform set_config('beanrow.contested', contested || own, true);
        return false;
end $$;

-- MARK: Dead brokers

-- Folds the ledgers of brokers that have been declared dead into the counts, and deletes what else they have left. The
-- last rows of their ledgers stay, emptied: a broker that was only cut off may yet ask what became of its batches.
create function clean_up_after(dead bigint[]) returns void
language sql set search_path from current
as $$
    with old as materialized (
        select epoch, writer, batch, tube_ids, urgent, ready, delayed, buried from ledger
        where epoch = any (dead) and tube_ids <> '{}'
        for update
    ), emptied as (
        update ledger set tube_ids = '{}', urgent = '{}', ready = '{}', delayed = '{}', buried = '{}'
        from old
        where ledger.epoch = old.epoch and ledger.writer = old.writer and ledger.batch = old.batch
    )
    select add_to_counts(
        array_agg(change.tube_id), array_agg(change.urgent), array_agg(change.ready), array_agg(change.delayed),
        array_agg(change.buried))
    from old, unnest(old.tube_ids, old.urgent, old.ready, old.delayed, old.buried)
        as change (tube_id, urgent, ready, delayed, buried);
    delete from tube_awaited where epoch = any (dead);
    delete from notice where epoch = any (dead);
    delete from tube_held where epoch = any (dead);
$$;

create function broker_name(broker) returns text
language sql stable set search_path from current
as $$ select format('broker %s (pid %s on %s)', $1.epoch, $1.pid, $1.host) $$;

-- Declares brokers dead whose heartbeats do not go on, and says what it has found. Part of declare_dead, which commits at
-- once: in a transaction of a caller's own, the locks on tables of brokers would last as long as that.
create function declare_silent_brokers_dead() returns text
language plpgsql security definer set search_path from current set lock_timeout to '4s'
as $$
declare
    seen bigint[];
    beaten bigint[];
    start timestamptz;
    dead bigint[];
    names text;
begin
    -- Only a procedure's own transaction begins after the statement that called it.
    if now() <= statement_timestamp() then
        perform refuse('25001', 'brokers are declared dead in a transaction of its own',
            format('Use "call %I.declare_dead()".', current_schema()));
    end if;
    select array_agg(epoch), array_agg(beats) into seen, beaten from broker;
    if seen is null then return 'there are no brokers'; end if;
    loop
        start := clock_timestamp();
        perform pg_sleep(1) from generate_series(1, 5);
        -- Once more if this took longer: a machine that hung has kept the brokers from being heard of as well.
        exit when clock_timestamp() - start between '0' and interval '7 seconds';
    end loop;
    with gone as (
        -- A broker that has been heard of meanwhile stays.
        delete from broker using unnest(seen, beaten) as watched (epoch, beats)
        where broker.epoch = watched.epoch and broker.beats = watched.beats
        returning broker.epoch, broker_name(broker) as name
    ), fences as (
        delete from fence using gone where fence.epoch = gone.epoch
    )
    select array_agg(epoch), string_agg(name, ', ' order by epoch) into dead, names from gone;
    if dead is null then return 'all brokers are heard of'; end if;
    perform clean_up_after(dead);
    return 'declared dead: ' || names;
end $$;

-- For when no broker runs that would declare others dead. A procedure can only commit if it has neither settings nor
-- rights of its own, so the name of the schema is written out in it.
do $do$ begin
    -- That name may have any character: the body is quoted as a whole.
    execute format('create procedure declare_dead() language plpgsql as %L', format($body$
        declare
            answer text;
        begin
            -- Refused within somebody's transaction, whose locks would stay.
            commit;
            answer := %I.declare_silent_brokers_dead();
            commit;
            raise notice '%%', answer;
        end
        $body$, current_schema()));
end $do$;

comment on procedure declare_dead() is 'Declares brokers dead that are not heard of for five seconds; other brokers do that by themselves. Not in a transaction.';

select hide_functions();
