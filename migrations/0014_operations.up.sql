-- What viewers of the admin listener do: long actions with their progress, and the audit of all actions.

-- An action on all jobs that match a filter. It runs in batches of a broker; each batch is one transaction with the
-- progress here, so that what is written is what was done.
create table operation (
    id bigint generated always as identity primary key,
    action text not null check (action in ('kick', 'delete', 'bury', 'move', 'priority', 'delay')),
    request jsonb not null,
    state text not null default 'running' check (state in ('running', 'stopped', 'done', 'failed')),
    runner bigint not null check (runner >= 0),
    changed bigint not null default 0 check (changed >= 0),
    skipped bigint not null default 0 check (skipped >= 0),
    reached_id bigint not null default 0,
    in_use bigint[] not null default '{}',
    started_at timestamptz not null default clock_timestamp(),
    started_by text not null,
    updated_at timestamptz not null default clock_timestamp(),
    error text
);

comment on table operation is
    'Actions of the admin listener on all jobs that match a filter, with their progress. Kept for 90 days.';
comment on column operation.id is 'The number of the operation.';
comment on column operation.action is 'What is done to the jobs.';
comment on column operation.request is 'What was asked for, with the filter, as the API has it.';
comment on column operation.state is 'running, stopped, done or failed. It is stopped too if its runner has no row in broker.';
comment on column operation.runner is 'The epoch of the broker that runs it.';
comment on column operation.changed is 'How many jobs were changed.';
comment on column operation.skipped is 'How many jobs matched and were left as they were.';
comment on column operation.reached_id is 'The id up to which it has come; it goes on behind it.';
comment on column operation.in_use is 'Jobs up to that id that another transaction had locked, or a broker leased: they are tried again.';
comment on column operation.started_at is 'When it was asked for.';
comment on column operation.started_by is 'Who asked for it.';
comment on column operation.updated_at is 'When its row was written last.';
comment on column operation.error is 'Why it failed.';

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    viewer text not null,
    action text not null,
    object text not null,
    arguments text,
    changed bigint,
    error text
);

-- The actions on one job, for its page.
create index audit_object on audit (object, id);

comment on table audit is 'What was done through the admin listener, a row for each request. Kept for 90 days.';
comment on column audit.id is 'The number of the action.';
comment on column audit.at is 'When it was done.';
comment on column audit.viewer is 'Who: the name of the viewer, or the address.';
comment on column audit.action is 'What was done.';
comment on column audit.object is 'To what: a tube, a job, jobs or an operation.';
comment on column audit.arguments is 'The arguments, as JSON.';
comment on column audit.changed is 'How many jobs were changed; null where that says nothing.';
comment on column audit.error is 'Why it was refused; null if it was done.';

create view actions as
select id, at, viewer, action, object, arguments, changed, error from audit;

comment on view actions is 'What was done through the admin listener, a row for each request. Kept for 90 days.';
comment on column actions.id is 'The number of the action: later ones have greater numbers.';
comment on column actions.at is 'When it was done.';
comment on column actions.viewer is 'Who: the name of the viewer, or the address.';
comment on column actions.action is
    'What was done: put, kick, delete, bury, move, priority, delay, clear, pause, unpause, set policy, stop or resume.';
comment on column actions.object is 'To what: "tube NAME", "job ID", "N jobs", "a filter" or "operation ID".';
comment on column actions.arguments is 'The arguments, as JSON; null without any.';
comment on column actions.changed is 'How many jobs were changed; null where that says nothing.';
comment on column actions.error is 'Why it was refused; null if it was done.';

-- MARK: History

-- The page asks for one job, and for the newest that have ended. Jobs end about in the order of their ids, so new entries
-- go to the end of both.
create index job_history_id on job_history (id);
create index job_history_finished on job_history (finished_at, id);

-- MARK: Jobs by the batch

-- What the functions of 0009_steer do to one job, done to all of these. Each of the functions below is for a caller that
-- has called open_batch in the same transaction, and has then locked the jobs in the order of their ids that are free
-- (is_free). A ready job is free only if no broker is the sole one, since that has every ready job.

-- Begins a batch: no broker becomes the sole one until the end of the transaction. `recalls`: brokers give back what no
-- client of theirs holds, and end being the sole one.
create function open_batch(recalls boolean) returns void
language plpgsql security definer set search_path from current
as $$
begin
    perform begin_call();
    perform end_leases();
    if open_batch.recalls and exists (select from broker) then perform recall_leases(); end if;
end $$;

create function delete_jobs(ids bigint[]) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    number integer;
begin
    with gone as (
        delete from job where id = any (delete_jobs.ids)
        returning tube_id, state, priority, case
            -- The whole row has its body with it, which is read for this alone.
            when exists (
                select from tube_policy as policy where policy.tube_id = job.tube_id and policy.history is not null)
            then job
        end as whole
    ), kept as (
        insert into job_history
        select record.*
        from gone
        cross join lateral history_of(gone.whole, false) as record
        where (gone.whole).id is not null
    ), recorded as (
        insert into sql_change (number, tube_id, urgent, ready, delayed, buried)
        select
            nextval('sql_change_number'), tube_id, -count(*) filter (where state = 0 and priority < 1024),
            -count(*) filter (where state = 0), -count(*) filter (where state = 1), -count(*) filter (where state = 2)
        from gone
        group by tube_id
    )
    select count(*) into number from gone;
    return number;
end $$;

create function kick_jobs(ids bigint[]) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    number integer;
begin
    with old as materialized (
        select id, tube_id, state, priority from job where id = any (kick_jobs.ids) and state <> 0
    ), moved as (
        update job set
            state = 0, bury_order = null, lease_epoch = null, reserved_at = null, reserved_until = null,
            due_at = clock_timestamp(), kicks = kicks + 1
        from old
        where job.id = old.id
        returning old.id, old.tube_id, old.state, old.priority
    ), recorded as (
        insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
        select
            nextval('sql_change_number'), tube_id, (min(array[priority, id]))[1], (min(array[priority, id]))[2],
            count(*) filter (where priority < 1024), count(*), -count(*) filter (where state = 1),
            -count(*) filter (where state = 2)
        from moved
        group by tube_id
    )
    select count(*) into number from moved;
    return number;
end $$;

create function bury_jobs(ids bigint[], priority bigint) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    number integer;
begin
    perform check_priority(coalesce(bury_jobs.priority, 0));
    with old as materialized (
        select ordered.*, nextval('job_bury_order') as place
        from (
            select id, tube_id, state, priority from job where id = any (bury_jobs.ids) and state <> 2 order by id
        ) as ordered
    ), moved as (
        update job set
            state = 2, bury_order = old.place, priority = coalesce(bury_jobs.priority, old.priority),
            lease_epoch = null, reserved_at = null, reserved_until = null, buries = buries + 1
        from old
        where job.id = old.id
        returning old.tube_id, old.state, old.priority
    ), recorded as (
        insert into sql_change (number, tube_id, urgent, ready, delayed, buried)
        select
            nextval('sql_change_number'), tube_id, -count(*) filter (where state = 0 and priority < 1024),
            -count(*) filter (where state = 0), -count(*) filter (where state = 1), count(*)
        from moved
        group by tube_id
    )
    select count(*) into number from moved;
    return number;
end $$;

-- Jobs whose key another job of that tube has stay where they are, and so do all but the first of those with one key.
create function move_jobs(ids bigint[], tube text) returns integer
language plpgsql security definer set search_path from current set lock_timeout to '200ms'
as $$
#variable_conflict use_column
declare
    target integer;
begin
    perform check_tube(move_jobs.tube);
    if cardinality(move_jobs.ids) = 0 then return 0; end if;
    target := open_tube(move_jobs.tube);
    loop
        begin
            with old as materialized (
                select id, tube_id, state, priority
                from (
                    select
                        id, tube_id, state, priority, key,
                        key is not null and row_number() over (partition by key order by id) > 1 as is_later
                    from job
                    where id = any (move_jobs.ids) and tube_id <> target
                ) as wanted
                where not is_later and not exists (
                    select from job as other where other.tube_id = target and other.key = wanted.key)
            ), moved as (
                update job set tube_id = target from old where job.id = old.id
                returning old.id, old.tube_id, old.state, old.priority
            )
            insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
            select nextval('sql_change_number'), change.*
            from (
                select
                    tube_id, null::bigint, null::bigint, -count(*) filter (where state = 0 and priority < 1024),
                    -count(*) filter (where state = 0), -count(*) filter (where state = 1),
                    -count(*) filter (where state = 2)
                from moved
                group by tube_id
                union all
                select
                    target, (min(array[priority, id]) filter (where state = 0))[1],
                    (min(array[priority, id]) filter (where state = 0))[2],
                    count(*) filter (where state = 0 and priority < 1024), count(*) filter (where state = 0),
                    count(*) filter (where state = 1), count(*) filter (where state = 2)
                from moved
                having count(*) > 0
            ) as change;
            exit;
        exception when unique_violation then
            -- A job with one of the keys was put meanwhile: the next round sees it.
            null;
        end;
    end loop;
    -- With those that were there before.
    return (select count(*) from job where id = any (move_jobs.ids) and tube_id = target);
end $$;

create function set_priorities(ids bigint[], priority bigint) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    number integer;
begin
    perform check_priority(set_priorities.priority);
    with old as materialized (
        select id, tube_id, state, priority from job where id = any (set_priorities.ids)
    ), moved as (
        update job set priority = set_priorities.priority from old where job.id = old.id
        returning old.id, old.tube_id, old.state, old.priority
    ), recorded as (
        insert into sql_change (number, tube_id, priority, job_id, urgent)
        select
            nextval('sql_change_number'), tube_id, case when bool_or(state = 0) then set_priorities.priority end,
            min(id) filter (where state = 0),
            case when set_priorities.priority < 1024 then count(*) filter (where state = 0) else 0 end
                - count(*) filter (where state = 0 and priority < 1024)
        from moved
        group by tube_id
    )
    select count(*) into number from moved;
    return number;
end $$;

create function set_delays(ids bigint[], delay interval) returns integer
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    seconds bigint := check_seconds(set_delays.delay, 'a delay', 'BR003', 0);
    new_state smallint := (seconds > 0)::integer;
    number integer;
begin
    with old as materialized (
        select id, tube_id, state, priority from job where id = any (set_delays.ids) and state <> 2
    ), moved as (
        update job set
            state = new_state, delay = seconds, due_at = clock_timestamp() + set_delays.delay,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from old
        where job.id = old.id
        returning old.id, old.tube_id, old.state, old.priority
    ), recorded as (
        insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed)
        select
            nextval('sql_change_number'), tube_id, case when new_state = 0 then (min(array[priority, id]))[1] end,
            case when new_state = 0 then (min(array[priority, id]))[2] end,
            case when new_state = 0 then count(*) filter (where priority < 1024) else 0 end
                - count(*) filter (where state = 0 and priority < 1024),
            case when new_state = 0 then count(*) else 0 end - count(*) filter (where state = 0),
            case when new_state = 1 then count(*) else 0 end - count(*) filter (where state = 1)
        from moved
        group by tube_id
    )
    select count(*) into number from moved;
    return number;
end $$;

select hide_functions();
