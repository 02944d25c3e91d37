-- Jobs taken by SQL: a session is a worker like any other.

-- Ends the leases of SQL sessions whose time is over.
create function end_leases() returns void
language plpgsql security definer set search_path from current
as $$
declare
    late bigint[];
begin
    if not exists (select from sql_lease where until <= clock_timestamp()) then return; end if;
    with gone as (
        delete from sql_lease where job_id = any (array(
            select job_id from sql_lease where until <= clock_timestamp()
            order by until limit 1000 for update skip locked))
        returning job_id
    )
    select array_agg(job_id order by job_id) into late from gone;
    with ended as (
        update job set
            state = case when old.is_buried then 2 else 0 end,
            bury_order = case when old.is_buried then nextval('job_bury_order') end,
            timeouts = timeouts + 1, buries = buries + old.is_buried::integer,
            first_reserved_at = coalesce(first_reserved_at, reserved_at), last_reserved_at = reserved_at,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from (
            select late.id, coalesce(job.timeouts + 1 >= bury_after_timeouts, false) as is_buried
            from unnest(late) as late (id)
            join job on job.id = late.id
            left join tube_policy using (tube_id)
        ) as old
        where job.id = old.id
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

-- Who reserves: the session, or whom the caller names. Sessions have odd numbers, so that no name is one of theirs.
create function sql_holder(named bigint) returns bigint
language plpgsql set search_path from current
as $$
declare
    setting text := format('beanrow.holder_%s', 'job'::regclass::oid);
    own text := current_setting(setting, true);
begin
    if named not between 1 and 4611686018427387903 then
        perform refuse('BR008', format('holder %s is out of range', named),
            'A holder is a number from 1 to 4611686018427387903, the same in all calls of one worker.');
    end if;
    if named is not null then return named * 2; end if;
    if coalesce(own, '') = '' then
        own := (nextval('sql_holder') * 2 + 1)::text;
        perform set_config(setting, own, false);
    end if;
    return own::bigint;
end $$;

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
    own bigint := sql_holder(reserve.holder);
    watched integer[];
    heads record;
    got bigint[] := '{}';
    more bigint[];
begin
    perform check_seconds(reserve.lease, 'a lease', 'BR004', 1);
    if reserve.tubes is null then perform refuse_null('an array of tubes'); end if;
    if reserve.count is null then perform refuse_null('how many jobs to reserve'); end if;
    perform check_tube(name) from unnest(reserve.tubes) as name;
    perform begin_sql();
    perform nextval('sql_reserve_number');
    perform end_leases();
    if exists (select from broker where is_sole) then perform summon_brokers(); end if;
    watched := array(
        select tube.id from tube
        where name = any (reserve.tubes) and (paused_until is null or paused_until <= clock_timestamp()));
    while cardinality(got) < reserve.count and cardinality(watched) > 0 loop
        -- From the tube whose first job is the smallest, all that are smaller than the first one of any other.
        select
            (array_agg(head.tube_id order by head.priority, head.id))[1] as tube_id,
            (array_agg(head.priority order by head.priority, head.id))[2] as next_priority,
            (array_agg(head.id order by head.priority, head.id))[2] as next_id
        into heads
        from unnest(watched) as wanted (tube_id)
        cross join lateral (
            select job.tube_id, job.priority, job.id from job
            where job.tube_id = wanted.tube_id and state = 0
                and (lease_epoch is null
                    or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                    and not broker_lives(lease_epoch)) and job.id <> all (got)
            order by job.priority, job.id
            limit 1
        ) as head;
        exit when heads.tube_id is null;
        more := array(
            select job.id from job
            where tube_id = heads.tube_id and state = 0
                and (lease_epoch is null
                    or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                    and not broker_lives(lease_epoch)) and job.id <> all (got)
                and (job.priority, job.id)
                    < (coalesce(heads.next_priority, 4294967296), coalesce(heads.next_id, 0))
            order by job.priority, job.id
            limit reserve.count - cardinality(got)
            for update skip locked);
        -- Others are about to take those: this tube has nothing that would come before another tube's.
        if cardinality(more) = 0 then watched := array_remove(watched, heads.tube_id); end if;
        got := got || more;
    end loop;
    if cardinality(got) = 0 then return; end if;
    insert into sql_lease (job_id, tube_id, priority, pid, until)
    select job.id, tube_id, job.priority, pg_backend_pid(), clock_timestamp() + reserve.lease
    from job where job.id = any (got);
    return query
    with taken as (
        update job set
            lease_epoch = -own, reserved_at = clock_timestamp(),
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

-- Locks jobs that the caller has reserved, or refuses: all of them or none.
create function own_jobs(ids bigint[], holder bigint) returns void
language plpgsql set search_path from current
as $$
#variable_conflict use_column
declare
    own bigint := sql_holder(own_jobs.holder);
    missing bigint;
begin
    if own_jobs.ids is null or array_position(own_jobs.ids, null) is not null then
        perform refuse_null('the id of a job');
    end if;
    perform begin_sql();
    perform from job where id = any (own_jobs.ids) and lease_epoch = -own order by id for update;
    select wanted.id into missing
    from unnest(own_jobs.ids) as wanted (id)
    where not exists (select from job where job.id = wanted.id and job.lease_epoch = -own)
    limit 1;
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
    perform own_jobs(finish.ids, finish.holder);
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
    perform own_jobs(release.ids, release.holder);
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
    perform own_jobs(bury.ids, bury.holder);
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
    perform check_seconds(touch.lease, 'a lease', 'BR004', 1);
    perform own_jobs(touch.ids, touch.holder);
    update sql_lease set until = clock_timestamp() + touch.lease where job_id = any (touch.ids);
    update job set reserved_until = clock_timestamp() + touch.lease where id = any (touch.ids);
    return cardinality(array(select distinct unnest(touch.ids)));
end $$;

comment on function reserve(text[], interval, integer, bigint) is 'Reserves the next jobs of these tubes for this session.';
comment on function finish(bigint[], bigint) is 'Deletes jobs that this session has reserved: all or none.';
comment on function release(bigint[], bigint, interval, bigint) is 'Gives jobs back that this session has reserved: all or none.';
comment on function bury(bigint[], bigint, bigint) is 'Buries jobs that this session has reserved: all or none.';
comment on function touch(bigint[], interval, bigint) is 'Lets the leases of jobs that this session has reserved start anew.';

select hide_functions();
