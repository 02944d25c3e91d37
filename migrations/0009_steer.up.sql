-- Jobs changed by SQL while no client has them, although a broker may have leased them.

-- MARK: Jobs that a broker has leased

-- Has every broker give back the jobs that no client of it has, and annotate the rows of those that one has; waits for
-- that. For half a second afterwards, a lease without a reservation means that a client is about to get the job.
--
-- A broker that does not answer may be dead. It is not declared dead here: that would lock its row until the end of the
-- caller's transaction. Rounds are counted instead of time, since a clock may be set.
create function recall_leases() returns void
language plpgsql set search_path from current
as $$
declare
    own bigint := nextval('recall_number');
    rounds integer := 0;
begin
    while exists (select from broker where answered < own) loop
        if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
            perform refuse('BR010', 'what brokers answer is not seen in a repeatable read or serializable transaction',
                'Call this function in a read committed transaction, or by itself.');
        end if;
        rounds := rounds + 1;
        if rounds > 2000 then
            perform refuse('BR010',
                (select format('no answer in 10 seconds from %s', string_agg(broker_name(broker), ', ' order by epoch))
                    from broker where answered < own),
                format('If it is dead, another broker declares it so within seconds; while none runs, "call %I.declare_dead()" '
                    'does that. Then try again.', current_schema()));
        end if;
        perform pg_sleep(0.005);
    end loop;
end $$;

-- Who has a job: 'client', 'broker' (leased, but no client has it), or 'nobody'.
create function who_has(job job) returns text
language sql volatile set search_path from current
as $$
    select case
        when job.lease_epoch is null or not broker_lives(job.lease_epoch) then
            case when job.state = 0 and exists (select from broker where is_sole) then 'broker' else 'nobody' end
        when job.reserved_at is not null then 'client'
        else 'broker'
    end
$$;

-- Locks a job that nobody has for the caller's transaction, and returns it; null when a client has it reserved. Refuses
-- when there is no such job, and when the job stays in use for 10 s.
create function lock_job(job_id bigint) returns job
language plpgsql set search_path from current
as $$
#variable_conflict use_column
declare
    seen job;
    rounds integer := 0;
begin
    if lock_job.job_id is null then perform refuse_null('the id of a job'); end if;
    perform begin_call();
    perform end_leases();
    loop
        select * into seen from job where id = lock_job.job_id;
        if seen.id is null then
            perform refuse('BR006', format('there is no job %s', lock_job.job_id),
                'It may have been deleted a moment ago; select id from jobs lists those that are there.');
        end if;
        case who_has(seen)
        when 'client' then return null;
        when 'broker' then
            perform recall_leases();
            -- That took about as long as 20 rounds.
            rounds := rounds + 20;
        else
            select * into seen from job
            where id = lock_job.job_id and is_free(lease_epoch, array(select epoch from broker))
            for update skip locked;
            if seen.id is not null then
                if who_has(seen) = 'nobody' then return seen; end if;
            end if;
            perform pg_sleep(0.005);
        end case;
        rounds := rounds + 1;
        if rounds > 2000 then
            perform refuse('BR010', format('job %s is in use by another transaction', lock_job.job_id),
                'Try again when that has ended; select * from pg_stat_activity shows those that are open.');
        end if;
    end loop;
end $$;

-- MARK: One job

create function kick_job(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := lock_job(kick_job.id);
begin
    if old.state is null or old.state = 0 then return false; end if;
    update job set
        state = 0, bury_order = null, lease_epoch = null, reserved_at = null, reserved_until = null,
        due_at = clock_timestamp(), kicks = kicks + 1
    where job.id = old.id;
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, 0::smallint, old.priority);
    return true;
end $$;

create function delete_job(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := lock_job(delete_job.id);
begin
    if old.state is null then return false; end if;
    delete from job where job.id = old.id;
    insert into job_history select * from history_of(old, false);
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, null, null);
    return true;
end $$;

create function bury_job(id bigint, priority bigint default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := lock_job(bury_job.id);
    new_priority bigint := coalesce(bury_job.priority, old.priority);
begin
    perform check_priority(coalesce(new_priority, 0));
    if old.state is null or old.state = 2 then return false; end if;
    update job set
        state = 2, bury_order = nextval('job_bury_order'), priority = new_priority,
        lease_epoch = null, reserved_at = null, reserved_until = null, buries = buries + 1
    where job.id = old.id;
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, 2::smallint, new_priority);
    return true;
end $$;

create function move_job(id bigint, tube text) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job;
    target integer;
begin
    perform check_tube(move_job.tube);
    old := lock_job(move_job.id);
    if old.state is null then return false; end if;
    target := open_tube(move_job.tube);
    if old.tube_id = target then return true; end if;
    begin
        update job set tube_id = target where job.id = old.id;
    exception when unique_violation then
        perform refuse('BR013', format('tube %s has a job with the key %s', quote_literal(move_job.tube), quote_literal(old.key)),
            'Delete one of the two, or wait until the one that is there has been worked off.');
    end;
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, null, null);
    perform record_job_change(target, old.id, null, null, old.state, old.priority);
    return true;
end $$;

create function set_priority(id bigint, priority bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job;
begin
    perform check_priority(set_priority.priority);
    old := lock_job(set_priority.id);
    if old.state is null then return false; end if;
    update job set priority = set_priority.priority where job.id = old.id;
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, old.state, set_priority.priority);
    return true;
end $$;

-- Without a delay the job becomes ready.
create function set_delay(id bigint, delay interval) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    seconds bigint := check_seconds(set_delay.delay, 'a delay', 'BR003', 0);
    old job := lock_job(set_delay.id);
    new_state smallint := (seconds > 0)::integer;
begin
    if old.state is null or old.state = 2 then return false; end if;
    update job set
        state = new_state, delay = seconds, due_at = clock_timestamp() + set_delay.delay,
        lease_epoch = null, reserved_at = null, reserved_until = null
    where job.id = old.id;
    perform record_job_change(old.tube_id, old.id, old.state, old.priority, new_state, old.priority);
    return true;
end $$;

-- MARK: Tubes

-- Kicks buried jobs in the order of their burial; if there are none, delayed ones, soonest first.
create function kick(tube text, up_to integer default 1) returns integer
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off set plan_cache_mode to force_custom_plan
as $$
#variable_conflict use_column
declare
    target integer;
    was smallint;
    chosen bigint[];
    counted record;
begin
    perform begin_call();
    target := find_tube(kick.tube);
    if kick.up_to is null then perform refuse_null('how many jobs to kick'); end if;
    foreach was in array array[2, 1] loop
        chosen := case was
            when 2 then array(
                select id from job
                where tube_id = target and state = 2 and is_free(lease_epoch, array(select epoch from broker))
                order by bury_order limit greatest(0, kick.up_to) for update skip locked)
            else array(
                select id from job
                where tube_id = target and state = 1 and is_free(lease_epoch, array(select epoch from broker))
                order by due_at, id limit greatest(0, kick.up_to) for update skip locked)
        end;
        exit when cardinality(chosen) > 0;
    end loop;
    with moved as (
        update job set
            state = 0, bury_order = null, lease_epoch = null, reserved_at = null, reserved_until = null,
            due_at = clock_timestamp(), kicks = kicks + 1
        where id = any (chosen)
        returning id, priority
    )
    select
        count(*) as number, count(*) filter (where priority < 1024) as urgent, min(array[priority, id]) as first
    into counted from moved;
    if counted.number > 0 then
        perform record_change(
            target, counted.first[1], counted.first[2], counted.urgent, counted.number,
            case when was = 1 then -counted.number else 0 end, case when was = 2 then -counted.number else 0 end);
    end if;
    return counted.number;
end $$;

create function set_pause(tube text, seconds bigint, length interval) returns void
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    target integer;
begin
    perform begin_call();
    target := find_tube(set_pause.tube);
    update tube set
        pause = nullif(set_pause.seconds, 0),
        paused_until = case when set_pause.seconds > 0 then clock_timestamp() + set_pause.length end
    where id = target;
    perform record_change(target, null, null, 0, 0, 0, 0);
end $$;

create function pause(tube text, length interval) returns void
language plpgsql security definer set search_path from current
as $$ begin perform set_pause(tube, check_seconds(length, 'a pause', 'BR003', 1), length); end $$;

create function unpause(tube text) returns void
language plpgsql security definer set search_path from current
as $$ begin perform set_pause(tube, 0, '0'); end $$;

-- Deletes jobs of one tube and state that the caller has locked, and returns how many.
create function delete_locked(ids bigint[], tube integer, was smallint) returns integer
language plpgsql set search_path from current
as $$
#variable_conflict use_column
declare
    counted record;
begin
    with gone as (
        delete from job where id = any (delete_locked.ids) returning job as whole, priority
    ), recorded as (
        insert into job_history
        select record.*
        from gone
        cross join lateral history_of(gone.whole, false) as record
        where exists (select from tube_policy where tube_id = delete_locked.tube and history is not null)
    )
    select count(*) as number, count(*) filter (where priority < 1024) as urgent into counted from gone;
    if counted.number > 0 then
        perform record_change(
            delete_locked.tube, null, null, case when was = 0 then -counted.urgent else 0 end,
            case when was = 0 then -counted.number else 0 end, case when was = 1 then -counted.number else 0 end,
            case when was = 2 then -counted.number else 0 end);
    end if;
    return counted.number;
end $$;

-- Deletes up to this many jobs of a tube that no client has reserved; `state`: only those that are ready, delayed or
-- buried. Returns how many it has deleted: call it again, in another transaction, until it returns 0.
create function clear(tube text, up_to integer default 10000, state text default null) returns integer
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off set plan_cache_mode to force_custom_plan
as $$
#variable_conflict use_column
declare
    target integer;
    states smallint[];
    wanted smallint;
    candidate bigint;
    chosen bigint[];
    total integer := 0;
begin
    perform begin_call();
    target := find_tube(clear.tube);
    if clear.up_to is null then perform refuse_null('how many jobs to delete'); end if;
    states := case clear.state
        when 'ready' then '{0}' when 'delayed' then '{1}' when 'buried' then '{2}' else '{0,1,2}' end;
    if clear.state not in ('ready', 'delayed', 'buried') then
        perform refuse('BR001', format('%s is no state of jobs that can be cleared', quote_literal(clear.state)),
            'The states are ready, delayed and buried; jobs that are reserved stay.');
    end if;
    perform end_leases();
    if 0 = any (states) and exists (select from broker) then perform recall_leases(); end if;
    foreach wanted in array states loop
        chosen := '{}';
        -- Each state has an index of its own, which is walked once: a second walk would begin with all the entries of
        -- deleted jobs.
        for candidate in
            select id from job
            where tube_id = target and state = wanted
                and is_free(lease_epoch, array(select epoch from broker))
            limit greatest(0, clear.up_to - total)
            for update skip locked
        loop
            chosen := array_append(chosen, candidate);
            if cardinality(chosen) = 1000 then
                total := total + delete_locked(chosen, target, wanted);
                chosen := '{}';
            end if;
        end loop;
        total := total + delete_locked(chosen, target, wanted);
    end loop;
    return total;
end $$;

-- Compares the jobs with their counts in one snapshot, and records the differences as the changes of a call, so that
-- nobody waits for it. Each tube gets a row there, also without a difference, so that brokers read its counts anew.
create function recount(tube text default null)
returns table (name text, urgent bigint, ready bigint, delayed bigint, buried bigint)
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    target integer := case when recount.tube is not null then find_tube(recount.tube) end;
begin
    perform begin_call();
    return query
    with actual as (
        select
            tube_id, count(*) filter (where state = 0 and priority < 1024) as urgent,
            count(*) filter (where state = 0) as ready, count(*) filter (where state = 1) as delayed,
            count(*) filter (where state = 2) as buried
        from job
        where target is null or tube_id = target
        group by tube_id
    ), said as (
        select tube_id, -urgent, -ready, -delayed, -buried from tube_count
        union all
        select tube_id, -urgent, -ready, -delayed, -buried from uncounted_change
    ), difference as materialized (
        select
            tube_id, sum(urgent)::bigint as urgent, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed,
            sum(buried)::bigint as buried
        from (select * from actual union all select * from said) as part (tube_id, urgent, ready, delayed, buried)
        where target is null or tube_id = target
        group by tube_id
    ), told as (
        insert into sql_change (number, tube_id, urgent, ready, delayed, buried)
        select nextval('sql_change_number'), tube_id, urgent, ready, delayed, buried from difference
    )
    select tube.name, difference.urgent, difference.ready, difference.delayed, difference.buried
    from difference
    join tube on tube.id = difference.tube_id
    where difference.urgent <> 0 or difference.ready <> 0 or difference.delayed <> 0 or difference.buried <> 0
    order by tube.name;
end $$;

comment on function kick(text, integer) is 'Makes buried jobs ready, or delayed ones if none is buried; returns how many.';
comment on function kick_job(bigint) is 'Makes a buried or delayed job ready; false when it is neither.';
comment on function delete_job(bigint) is 'Deletes a job; false when a client has it reserved.';
comment on function bury_job(bigint, bigint) is 'Buries a ready or delayed job; false when it is neither.';
comment on function move_job(bigint, text) is 'Moves a job to another tube; false when a client has it reserved.';
comment on function set_priority(bigint, bigint) is 'Changes the priority of a job; false when a client has it reserved.';
comment on function set_delay(bigint, interval) is 'Delays a ready or delayed job anew, or makes it ready with a delay of 0; false when it is neither.';
comment on function pause(text, interval) is 'Pauses a tube: none of its jobs is given out for this long.';
comment on function unpause(text) is 'Ends the pause of a tube.';
comment on function recount(text) is 'Corrects the counts of a tube, or of all; returns by how much they were wrong.';
comment on function clear(text, integer, text) is 'Deletes up to this many jobs of a tube that no client has; returns how many.';

select hide_functions();
