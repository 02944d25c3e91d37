-- Policies of tubes, and the history of jobs that have ended.

-- MARK: Policies

-- Sets the whole policy of a tube: what the call leaves out is off.
create function set_policy(
    tube text,
    bury_after_timeouts integer default null,
    bury_after_releases integer default null,
    max_ready bigint default null,
    history interval default null,
    history_body boolean default false
) returns void
language plpgsql security definer set search_path from current
as $$
declare
    the_tube integer;
begin
    perform check_tube(set_policy.tube);
    if set_policy.bury_after_timeouts < 1 then
        perform refuse('BR011', format('A job cannot be buried after %s timeouts.', set_policy.bury_after_timeouts),
            'bury_after_timeouts is 1 or more, or null to bury no job for its timeouts.');
    end if;
    if set_policy.bury_after_releases < 1 then
        perform refuse('BR011', format('A job cannot be buried after %s releases.', set_policy.bury_after_releases),
            'bury_after_releases is 1 or more, or null to bury no job for its releases.');
    end if;
    if set_policy.max_ready < 1 then
        perform refuse('BR011', format('A tube cannot be full with %s ready jobs.', set_policy.max_ready),
            'max_ready is 1 or more, or null for a tube that is never full.');
    end if;
    if set_policy.history not between interval '1 microsecond' and interval '100 years' then
        perform refuse('BR011', format('History cannot be kept for %s.', set_policy.history),
            'history is longer than nothing and 100 years at most, or null to keep none.');
    end if;
    perform begin_call();
    the_tube := open_tube(set_policy.tube);
    -- A tube that this has made is known to all brokers at once.
    perform record_change(the_tube, null, null, 0, 0, 0, 0);
    if set_policy.bury_after_timeouts is null and set_policy.bury_after_releases is null
        and set_policy.max_ready is null and set_policy.history is null
    then
        delete from tube_policy where tube_id = the_tube;
    else
        insert into tube_policy as policy
            (tube_id, bury_after_timeouts, bury_after_releases, max_ready, history, history_body)
        values (
            the_tube, set_policy.bury_after_timeouts, set_policy.bury_after_releases, set_policy.max_ready,
            set_policy.history, coalesce(set_policy.history_body, false))
        on conflict (tube_id) do update set
            bury_after_timeouts = excluded.bury_after_timeouts,
            bury_after_releases = excluded.bury_after_releases,
            max_ready = excluded.max_ready,
            history = excluded.history,
            history_body = excluded.history_body;
    end if;
end
$$;

comment on function set_policy(text, integer, integer, bigint, interval, boolean) is
    'Sets the policy of a tube, which is made if it is missing. What is left out, or null, is off. Brokers follow within about a second.';

-- MARK: History

-- Returns the row of history for a job that ends; none when its tube keeps no history. `finished`: deleted by the client
-- that had it.
create function history_of(gone job, finished boolean) returns setof job_history
language sql stable rows 1 set search_path from current
as $$
    select
        gone.id, gone.created_at, coalesce(gone.first_reserved_at, gone.reserved_at),
        coalesce(gone.reserved_at, gone.last_reserved_at), now(), gone.priority, gone.ttr, gone.tube_id,
        gone.reserves, gone.timeouts, gone.releases, gone.buries, gone.kicks,
        case when finished then 3 else gone.state end::smallint,
        case when policy.history_body then gone.body end
    from tube_policy as policy
    where policy.tube_id = gone.tube_id and policy.history is not null
$$;

-- Makes the partitions of this day (UTC) and the next three, and drops those that no tube keeps any more. It waits for no
-- lock for long: making a day locks the default partition, and dropping one locks all of history, and others would queue
-- up behind it. What it cannot lock at once it leaves for the next time. Bounds are written out, since the session decides
-- how a time is printed. A day is made in the tablespace of the default partition.
create function keep_history() returns void
language plpgsql security definer set search_path from current set lock_timeout = '100ms'
    set default_tablespace to '' set default_table_access_method to heap
as $$
declare
    today constant date := (now() at time zone 'UTC')::date;
    place constant text := coalesce((
        select format(' tablespace %I', spcname) from pg_class
        join pg_tablespace on pg_tablespace.oid = reltablespace
        where pg_class.oid = 'job_history_default'::regclass), '');
    last_kept date;
    day date;
    day_start text;
    day_end text;
    caught bigint;
    partition_name text;
begin
    begin
        -- One call at a time, by a lock that not everybody may take.
        lock table only job_history in share update exclusive mode nowait;
    exception when lock_not_available then
        return;
    end;

    foreach day in array array[today, today + 1, today + 2, today + 3] loop
        partition_name := 'job_history_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(quote_ident(partition_name)) is not null;
        day_start := to_char(day, 'YYYY-MM-DD 00:00:00+00');
        day_end := to_char(day + 1, 'YYYY-MM-DD 00:00:00+00');
        begin
            if day = today then
                -- It is overdue: transactions are writing its rows to the default partition, which refuses them once the
                -- partition is there.
                lock table job_history in share row exclusive mode;
            end if;
            lock table job_history_default in access exclusive mode;
            select count(*) into caught from (
                select from job_history_default
                where finished_at >= day_start::timestamptz and finished_at < day_end::timestamptz
                limit 10001
            ) as found;
            -- More rows would take too long to move: that day stays in the default partition.
            continue when caught > 10000;
            execute format('create table %I (like job_history including all)%s', partition_name, place);
            execute format('alter table %I replica identity full', partition_name);
            execute format(
                'with caught as (delete from job_history_default where finished_at >= %L and finished_at < %L returning *)
                insert into %I select * from caught', day_start, day_end, partition_name);
            execute format(
                'alter table job_history attach partition %I for values from (%L) to (%L)',
                partition_name, day_start, day_end);
        exception when lock_not_available then
            return;
        end;
    end loop;

    last_kept := (now() - coalesce((select max(history) from tube_policy), interval '1 day')) at time zone 'UTC';
    for partition_name in
        select relname
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        where inhparent = 'job_history'::regclass and relname ~ '^job_history_[0-9]{8}$'
            and to_date(right(relname, 8), 'YYYYMMDD') < last_kept
        order by relname
        limit 10
    loop
        begin
            execute format('drop table %I', partition_name);
        exception when lock_not_available then
            return;
        end;
    end loop;
    delete from job_history_default
    where ctid = any (array(
        select ctid from job_history_default where finished_at < last_kept::timestamp at time zone 'UTC' limit 1000));
end
$$;

comment on function keep_history() is
    'Makes the partitions of history for the next days, and drops those that no tube keeps. Brokers call it about once a minute.';

do $$ begin perform keep_history(); end $$;

select hide_functions();
