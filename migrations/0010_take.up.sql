-- Jobs reserved by SQL: a session is a worker like any other.

-- MARK: The end of leases

-- Ends the leases of jobs that the caller has locked, as if their time were over.
create function end_locked_leases(ids bigint[]) returns void
language plpgsql set search_path from current
as $$
begin
    delete from sql_lease where job_id = any (ids);
    with ended as (
        update job set
            state = case when old.is_buried then 2 else 0 end,
            bury_order = case when old.is_buried then nextval('job_bury_order') end,
            timeouts = timeouts + 1, buries = buries + old.is_buried::integer,
            first_reserved_at = coalesce(first_reserved_at, reserved_at), last_reserved_at = reserved_at,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from (
            select late.id, coalesce(job.timeouts + 1 >= bury_after_timeouts, false) as is_buried
            from unnest(ids) as late (id)
            join job on job.id = late.id
            left join tube_policy using (tube_id)
        ) as old
        where job.id = old.id and job.lease_epoch < 0
        returning job.id, job.tube_id, job.priority, job.state
    )
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, buried)
    select
        nextval('sql_change_number'), tube_id,
        (min(array[priority, id]) filter (where state = 0))[1], (min(array[priority, id]) filter (where state = 0))[2],
        -count(*) filter (where state = 2 and priority < 1024), -count(*) filter (where state = 2),
        count(*) filter (where state = 2)
    from ended
    group by tube_id;
end $$;

-- Ends the leases of SQL sessions whose time is over.
create function end_leases() returns void
language plpgsql security definer set search_path from current
as $$
declare
    late bigint[];
begin
    if not exists (select from sql_lease where until <= clock_timestamp()) then return; end if;
    late := array(
        select job.id from sql_lease
        join job on job.id = sql_lease.job_id
        where until <= clock_timestamp()
        order by until
        limit 1000
        for update of job skip locked);
    -- Leases that were touched before their jobs were locked go on.
    late := array(select job_id from sql_lease where job_id = any (late) and until <= clock_timestamp() order by job_id);
    if cardinality(late) > 0 then perform end_locked_leases(late); end if;
    -- No function leaves a lease without a job. Somebody may have deleted the job by hand.
    delete from sql_lease where job_id = any (array(
        select job_id from sql_lease
        where until <= clock_timestamp() and not exists (select from job where id = job_id)
        order by until
        limit 1000
        for update skip locked));
end $$;

-- MARK: Checks

create function check_holder(holder bigint) returns void
language plpgsql set search_path from current
as $$
begin
    if holder not between 1 and 4611686018427387903 then
        perform refuse('BR008', format('holder %s is out of range', holder),
            'A holder is a number from 1 to 4611686018427387903, the same in all calls of one worker.');
    end if;
end $$;

-- 7 days at most: a worker that is gone keeps its jobs from others for no longer.
create function check_lease(lease interval) returns void
language plpgsql set search_path from current
as $$
begin
    if lease is null then perform refuse_null('a lease'); end if;
    if lease not between '1 microsecond' and '7 days' then
        perform refuse('BR004', format('a lease of %s is out of range', lease),
            'A lease is longer than nothing and 7 days at most; touch lets it start anew.');
    end if;
end $$;

-- MARK: Reserving

create function reserve(
    tubes text[], lease interval default '60 seconds', count integer default 1, holder bigint default null
) returns table (
    id bigint, tube text, body bytea, priority bigint, created_at timestamptz, reserved_until timestamptz,
    reserves integer, timeouts integer, releases integer
)
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off set plan_cache_mode to force_custom_plan
as $$
#variable_conflict use_column
declare
    watched integer[];
    -- For each of these tubes, the last job that was taken: the walk goes on from there.
    last_priority bigint[];
    last_id bigint[];
    place integer;
    heads record;
    got bigint[] := '{}';
    more bigint[];
begin
    perform check_holder(reserve.holder);
    perform check_lease(reserve.lease);
    if reserve.tubes is null then perform refuse_null('an array of tubes'); end if;
    if reserve.count is null then perform refuse_null('how many jobs to reserve'); end if;
    perform check_tube(name) from unnest(reserve.tubes) as name;
    perform begin_call();
    perform nextval('sql_reserve_number');
    perform end_leases();
    if exists (select from broker where is_sole) then perform recall_leases(); end if;
    watched := array(
        select tube.id from tube
        where name = any (reserve.tubes) and (paused_until is null or paused_until <= clock_timestamp()));
    last_priority := array_fill(-1::bigint, array[cardinality(watched)]);
    last_id := last_priority;
    while cardinality(got) < reserve.count loop
        -- From the tube with the smallest first job, take all jobs that are smaller than the first one of any other tube.
        select
            (array_agg(head.tube_id order by head.priority, head.id))[1] as tube_id,
            (array_agg(head.priority order by head.priority, head.id))[2] as next_priority,
            (array_agg(head.id order by head.priority, head.id))[2] as next_id
        into heads
        from unnest(watched, last_priority, last_id) as wanted (tube_id, priority, id)
        cross join lateral (
            select job.tube_id, job.priority, job.id from job
            where job.tube_id = wanted.tube_id and state = 0 and (job.priority, job.id) > (wanted.priority, wanted.id)
                and is_free(lease_epoch, array(select epoch from broker))
            order by job.priority, job.id
            limit 1
        ) as head;
        exit when heads.tube_id is null;
        place := array_position(watched, heads.tube_id);
        more := array(
            select job.id from job
            where tube_id = heads.tube_id and state = 0
                and (job.priority, job.id) > (last_priority[place], last_id[place])
                and is_free(lease_epoch, array(select epoch from broker))
                and (job.priority, job.id)
                    < (coalesce(heads.next_priority, 4294967296), coalesce(heads.next_id, 0))
            order by job.priority, job.id
            limit reserve.count - cardinality(got)
            for update skip locked);
        got := got || more;
        -- Others have locked those jobs, and are about to take them: skip the tube.
        if cardinality(more) = 0 then
            last_priority[place] := 4294967296;
        else
            last_id[place] := more[cardinality(more)];
            last_priority[place] := (select job.priority from job where job.id = last_id[place]);
        end if;
    end loop;
    if cardinality(got) = 0 then return; end if;
    -- A row that is there already is what is left of a lease that has ended.
    insert into sql_lease (job_id, tube_id, priority, login, holder, pid, server_start, until)
    select
        job.id, tube_id, job.priority, session_user, reserve.holder, pg_backend_pid(), pg_postmaster_start_time(),
        clock_timestamp() + reserve.lease
    from job where job.id = any (got)
    on conflict (job_id) do update set
        tube_id = excluded.tube_id, priority = excluded.priority, login = excluded.login, holder = excluded.holder,
        pid = excluded.pid, server_start = excluded.server_start, until = excluded.until;
    return query
    with taken as (
        update job set
            lease_epoch = -1, reserved_at = clock_timestamp(),
            reserved_until = clock_timestamp() + reserve.lease, reserves = job.reserves + 1
        where job.id = any (got)
        returning job.*
    )
    select
        taken.id, tube.name, taken.body, taken.priority, taken.created_at, taken.reserved_until,
        taken.reserves, taken.timeouts, taken.releases
    from taken
    join tube on tube.id = taken.tube_id
    order by taken.priority, taken.id;
end $$;

-- MARK: Jobs that the caller has

-- Returns those of these jobs that the caller has: as the holder that it names, or else as this session.
create function reserved_by_caller(holder bigint, ids bigint[]) returns bigint[]
language sql volatile set search_path from current
as $$
    select array(
        select job_id from sql_lease as lease
        where job_id = any (ids) and login = session_user and case
            when reserved_by_caller.holder is not null then lease.holder = reserved_by_caller.holder
            else lease.holder is null and pid = pg_backend_pid() and server_start = pg_postmaster_start_time()
        end)
$$;

-- Locks jobs that the caller has reserved; refuses if it has not reserved all of them.
create function lock_reserved(ids bigint[], holder bigint) returns void
language plpgsql set search_path from current
as $$
#variable_conflict use_column
declare
    own bigint[];
    missing bigint;
begin
    perform check_holder(lock_reserved.holder);
    if lock_reserved.ids is null or exists (select from unnest(lock_reserved.ids) as wanted (id) where wanted.id is null) then
        perform refuse_null('the id of a job');
    end if;
    perform begin_call();
    -- Jobs of others are neither locked nor waited for. Ask again with the locks: leases may have ended meanwhile.
    own := reserved_by_caller(lock_reserved.holder, lock_reserved.ids);
    perform from job where id = any (own) order by id for update;
    own := reserved_by_caller(lock_reserved.holder, lock_reserved.ids);
    select unnest(lock_reserved.ids) except select id from job where id = any (own) and lease_epoch < 0 limit 1 into missing;
    if missing is not null then
        perform refuse('BR008', format('job %s is not reserved by this session', missing),
            'Its lease may have run out, so that another has it now: undo what was done for it.');
    end if;
end $$;

create function finish(ids bigint[], holder bigint default null) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
begin
    perform lock_reserved(finish.ids, finish.holder);
    with leases as (
        delete from sql_lease where job_id = any (finish.ids)
    ), gone as (
        delete from job where id = any (finish.ids) returning job as whole, tube_id, priority
    ), recorded as (
        insert into job_history
        select record.*
        from gone
        join tube_policy on tube_policy.tube_id = gone.tube_id and tube_policy.history is not null
        cross join lateral history_of(gone.whole, true) as record
    )
    insert into sql_change (number, tube_id, urgent, ready)
    select nextval('sql_change_number'), tube_id, -count(*) filter (where priority < 1024), -count(*)
    from gone
    group by tube_id;
    return cardinality(array(select distinct unnest(finish.ids)));
end $$;

create function release(
    ids bigint[], priority bigint default null, delay interval default '0', holder bigint default null
) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    seconds bigint := check_seconds(release.delay, 'a delay', 'BR003', 0);
begin
    perform check_priority(coalesce(release.priority, 0));
    perform lock_reserved(release.ids, release.holder);
    with leases as (
        delete from sql_lease where job_id = any (release.ids)
    ), old as materialized (
        select job.id, job.priority, coalesce(job.releases + 1 >= bury_after_releases, false) as is_buried
        from job
        left join tube_policy using (tube_id)
        where job.id = any (release.ids)
    ), moved as (
        update job set
            state = case when old.is_buried then 2 when seconds > 0 then 1 else 0 end,
            bury_order = case when old.is_buried then nextval('job_bury_order') end,
            priority = coalesce(release.priority, job.priority), delay = seconds,
            due_at = clock_timestamp() + release.delay, releases = releases + 1,
            buries = buries + old.is_buried::integer,
            first_reserved_at = coalesce(first_reserved_at, reserved_at), last_reserved_at = reserved_at,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from old
        where job.id = old.id
        returning job.id, job.tube_id, job.priority, job.state, old.priority as old_priority
    )
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
    select
        nextval('sql_change_number'), tube_id,
        (min(array[priority, id]) filter (where state = 0))[1], (min(array[priority, id]) filter (where state = 0))[2],
        count(*) filter (where state = 0 and priority < 1024) - count(*) filter (where old_priority < 1024),
        count(*) filter (where state = 0) - count(*), count(*) filter (where state = 1),
        count(*) filter (where state = 2)
    from moved
    group by tube_id;
    return cardinality(array(select distinct unnest(release.ids)));
end $$;

create function bury(ids bigint[], priority bigint default null, holder bigint default null) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_priority(coalesce(bury.priority, 0));
    perform lock_reserved(bury.ids, bury.holder);
    with leases as (
        delete from sql_lease where job_id = any (bury.ids)
    ), old as materialized (
        select id, priority from job where id = any (bury.ids)
    ), moved as (
        update job set
            state = 2, priority = coalesce(bury.priority, job.priority), bury_order = nextval('job_bury_order'),
            buries = buries + 1,
            first_reserved_at = coalesce(first_reserved_at, reserved_at), last_reserved_at = reserved_at,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from old
        where job.id = old.id
        returning job.tube_id, old.priority as old_priority
    )
    insert into sql_change (number, tube_id, urgent, ready, buried)
    select
        nextval('sql_change_number'), tube_id, -count(*) filter (where old_priority < 1024), -count(*), count(*)
    from moved
    group by tube_id;
    return cardinality(array(select distinct unnest(bury.ids)));
end $$;

create function touch(ids bigint[], lease interval default '60 seconds', holder bigint default null) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_lease(touch.lease);
    perform lock_reserved(touch.ids, touch.holder);
    update sql_lease set until = clock_timestamp() + touch.lease where job_id = any (touch.ids);
    update job set reserved_until = clock_timestamp() + touch.lease where id = any (touch.ids);
    return cardinality(array(select distinct unnest(touch.ids)));
end $$;

-- MARK: For operators

-- For somebody who knows that a worker is gone.
create function end_lease(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
declare
    is_leased boolean;
begin
    if end_lease.id is null then perform refuse_null('the id of a job'); end if;
    perform begin_call();
    select lease_epoch < 0 into is_leased from job where job.id = end_lease.id for update;
    if is_leased is null and not found then
        perform refuse('BR006', format('there is no job %s', end_lease.id),
            'It may have been deleted a moment ago; select id from jobs lists those that are there.');
    end if;
    if is_leased then perform end_locked_leases(array[end_lease.id]); end if;
    return coalesce(is_leased, false);
end $$;

-- The same for all jobs of a session, a holder or a login; of several that are given, all must be true.
create function end_leases_of(session integer default null, holder bigint default null, login text default null)
returns integer
language plpgsql security definer set search_path from current
as $$
declare
    locked bigint[];
begin
    if num_nonnulls(session, end_leases_of.holder, end_leases_of.login) = 0 then
        perform refuse('BR007', 'whose leases shall end is not said',
            'Give a session, a holder or a login, or several of them that must all be true.');
    end if;
    perform begin_call();
    locked := array(
        select id from job
        where lease_epoch < 0 and id = any (array(
            select job_id from sql_lease as lease
            where (session is null or lease.pid = session)
                and (end_leases_of.holder is null or lease.holder = end_leases_of.holder)
                and (end_leases_of.login is null or lease.login = end_leases_of.login)))
        order by id for update);
    -- Ask again with the locks: leases may have ended meanwhile.
    locked := array(
        select job_id from sql_lease as lease
        where job_id = any (locked)
            and (session is null or lease.pid = session)
            and (end_leases_of.holder is null or lease.holder = end_leases_of.holder)
            and (end_leases_of.login is null or lease.login = end_leases_of.login));
    perform end_locked_leases(locked);
    return cardinality(locked);
end $$;

comment on function end_lease(bigint) is 'Ends the lease of a job that a SQL session or holder has, as if its time were over; false when none has it.';
comment on function end_leases_of(integer, bigint, text) is 'Ends all leases of a SQL session (its pid), of a holder, or of a login; of several that are given, all must be true. Returns how many.';
comment on function reserve(text[], interval, integer, bigint) is 'Reserves the next jobs of these tubes for this session.';
comment on function finish(bigint[], bigint) is 'Deletes jobs that this session has reserved: all or none.';
comment on function release(bigint[], bigint, interval, bigint) is 'Releases jobs that this session has reserved: all or none.';
comment on function bury(bigint[], bigint, bigint) is 'Buries jobs that this session has reserved: all or none.';
comment on function touch(bigint[], interval, bigint) is 'Starts the leases of jobs that this session has reserved anew: all or none.';

select hide_functions();
