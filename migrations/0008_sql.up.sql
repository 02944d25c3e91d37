-- The queue from SQL: jobs are put, steered and taken by functions, beside brokers that may have any of them at that
-- moment (docs/ARCHITECTURE.md, SQL beside brokers; docs/sql.md for whoever calls them).
--
-- Errors have SQLSTATEs of their own class: BR001 tube, BR002 priority, BR003 delay, BR004 time to run or lease, BR005
-- body, BR006 unknown job, BR007 NULL, BR008 not reserved here, BR009 tube full, BR010 no answer.

-- A function that runs with its owner's rights must not find a caller's temporary tables in place of ours.
do $$ begin
    perform set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
end $$;

-- What a call has done to a tube, until a broker folds it into the counts and learns from it which jobs are new. Rows
-- are only inserted and deleted, and found by their numbers: no call waits for another.
create table sql_change (
    number bigint primary key,
    tube_id integer not null,
    -- The first of the jobs that have become ready, if any has.
    priority bigint,
    job_id bigint,
    urgent integer not null default 0,
    ready integer not null default 0,
    delayed integer not null default 0,
    buried integer not null default 0
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

-- Sequences know no transactions: brokers, which look at them twenty times a second, hear of a call while it lasts.
create sequence sql_change_number;
-- Whoever draws from it waits until all brokers have given back the jobs that no client of theirs holds.
create sequence summons;
-- Somebody takes jobs by SQL: no broker shall be the sole one.
create sequence sql_reserve_number;
-- The first number drawn looks like none.
select nextval('sql_change_number'), nextval('summons'), nextval('sql_reserve_number');

-- `answered`: the last summons that the broker has followed. `max_job_size`: bytes of a body that it takes.
alter table broker
    add column answered bigint not null default 0,
    add column max_job_size bigint;

-- Jobs that SQL sessions have reserved. In the row of the job the lease is negative; it ends when this row goes.
create table sql_lease (
    job_id bigint primary key,
    tube_id integer not null,
    priority bigint not null,
    pid integer not null,
    until timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create index sql_lease_until on sql_lease (until);
create sequence sql_holder;

-- A negative lease lives until somebody ends it.
create or replace function broker_lives(bigint) returns boolean
language sql volatile set search_path from current
as 'select $1 < 0 or exists (select from broker where epoch = $1)';

-- Tells this schema's queue from others in the keys of advisory locks; put_job has it written out.
create function sql_lock_key() returns bigint
language sql stable set search_path from current
as $$ select 1650811246::bigint << 32 | 'job'::regclass::oid::bigint $$;

-- MARK: Errors

create function refuse(code text, message text, hint text) returns void
language plpgsql set search_path from current
as $$ begin raise exception using errcode = code, message = message, hint = hint; end $$;

create function refuse_null(what text) returns void
language sql set search_path from current
as $$ select refuse('BR007', what || ' must not be NULL', 'Leave the argument out for its default, if it has one.') $$;

create function check_priority(priority bigint) returns void
language plpgsql set search_path from current
as $$
begin
    if priority is null then perform refuse_null('a priority'); end if;
    if priority not between 0 and 4294967295 then
        perform refuse('BR002', format('priority %s is out of range', priority),
            'A priority is a number from 0, the most urgent, to 4294967295.');
    end if;
end $$;

-- Whole seconds, rounded up.
create function check_seconds(length interval, what text, code text, at_least integer) returns bigint
language plpgsql set search_path from current
as $$
declare
    seconds bigint;
begin
    if length is null then perform refuse_null(what); end if;
    seconds := ceil(extract(epoch from length));
    if seconds < at_least or seconds > 4294967295 then
        perform refuse(code, format('%s of %s is out of range', what, length),
            format('Give an interval of at least %s and at most 4294967295 seconds, such as ''90 seconds''.', at_least));
    end if;
    return seconds;
end $$;

create function check_body(body bytea) returns void
language plpgsql set search_path from current
as $$
declare
    size bigint := octet_length(body);
    limit_ bigint := coalesce((select max(max_job_size) from broker), 65535);
begin
    if size is null then perform refuse_null('a body'); end if;
    if size > limit_ then
        perform refuse('BR005', format('a body of %s bytes is too big: the limit is %s', size, limit_),
            'Put a reference to the data, or start the brokers with a higher --max-job-size.');
    end if;
end $$;

create function check_tube(name text) returns void
language plpgsql set search_path from current
as $$
begin
    if name is null then perform refuse_null('the name of a tube'); end if;
    if name !~ '^[A-Za-z0-9+/;.$_()][-A-Za-z0-9+/;.$_()]{0,199}$' then
        perform refuse('BR001', format('%s is no name for a tube', quote_literal(left(name, 250))),
            'A name has 1 to 200 of the characters A-Z a-z 0-9 - + / ; . $ _ ( ), the first of them no hyphen.');
    end if;
end $$;

-- The tube of this name, made unless it is there.
create function open_tube(name text) returns integer
language plpgsql set search_path from current
as $$
declare
    found integer := (select id from tube where tube.name = open_tube.name);
begin
    if found is not null then return found; end if;
    perform check_tube(name);
    -- A broker that opens the same tube asks for this lock, and does not wait for the end of our transaction.
    perform pg_advisory_xact_lock(hashtextextended(name, sql_lock_key()));
    insert into tube (name) values (open_tube.name)
    on conflict on constraint tube_name_key do nothing
    returning id into found;
    if found is null then select id into found from tube where tube.name = open_tube.name; end if;
    return found;
end $$;

create function find_tube(name text) returns integer
language plpgsql set search_path from current
as $$
declare
    found integer;
begin
    if name is null then perform refuse_null('the name of a tube'); end if;
    select id into found from tube where tube.name = find_tube.name;
    if found is null then
        perform refuse('BR001', format('there is no tube %s', quote_literal(left(name, 250))),
            'Names of tubes are case-sensitive; select name from tubes lists them.');
    end if;
    return found;
end $$;

-- MARK: What is told to the brokers

-- From here to the end of the transaction brokers know that more may come, and none becomes the sole one.
create function begin_sql() returns void
language sql set search_path from current
as $$ select pg_advisory_xact_lock_shared(sql_lock_key()) $$;

-- How many jobs have left and come into the states of a tube; `first_*`: the first that has become ready.
create function tell_brokers(
    tube integer, first_priority bigint, first_job bigint, urgent bigint, ready bigint, delayed bigint, buried bigint
) returns void
language sql set search_path from current
as $$
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
    values (nextval('sql_change_number'), tube, first_priority, first_job, urgent, ready, delayed, buried)
$$;

-- The same for one job: `was` and `is_now` are states, NULL for none.
create function tell_of_job(tube integer, job bigint, was smallint, old_priority bigint, is_now smallint, priority bigint)
returns void
language sql set search_path from current
as $$
    select tell_brokers(
        tube, case when is_now = 0 then priority end, case when is_now = 0 then job end,
        coalesce((is_now = 0 and priority < 1024)::integer, 0) - coalesce((was = 0 and old_priority < 1024)::integer, 0),
        coalesce((is_now = 0)::integer, 0) - coalesce((was = 0)::integer, 0),
        coalesce((is_now = 1)::integer, 0) - coalesce((was = 1)::integer, 0),
        coalesce((is_now = 2)::integer, 0) - coalesce((was = 2)::integer, 0))
$$;

-- MARK: Put

-- What is usual is checked here, since a call of a function costs as much as half an insert; the rest says what is wrong.
create function put_job(tube text, body bytea, priority bigint, delay interval, ttr interval) returns bigint
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    tube_id integer := (select id from tube where tube.name = put_job.tube);
    job_id bigint;
    seconds bigint := ceil(extract(epoch from put_job.delay));
    ttr_seconds bigint := ceil(extract(epoch from put_job.ttr));
begin
    if tube_id is null then tube_id := open_tube(put_job.tube); end if;
    if put_job.priority between 0 and 4294967295 then else perform check_priority(put_job.priority); end if;
    if seconds between 0 and 4294967295 then else perform check_seconds(put_job.delay, 'a delay', 'BR003', 0); end if;
    if ttr_seconds between 0 and 4294967295 then
    else perform check_seconds(put_job.ttr, 'a time to run', 'BR004', 0);
    end if;
    if octet_length(put_job.body) <= (select max(max_job_size) from broker) then
    else perform check_body(put_job.body);
    end if;
    perform pg_advisory_xact_lock_shared(1650811246::bigint << 32 | 'job'::regclass::oid::bigint);
    insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
    values (
        nextval('job_id'), tube_id, put_job.priority, (seconds > 0)::integer, greatest(1, ttr_seconds), seconds,
        clock_timestamp(), clock_timestamp() + put_job.delay, put_job.body)
    returning id into job_id;
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed)
    values (
        nextval('sql_change_number'), tube_id,
        case when seconds = 0 then put_job.priority end, case when seconds = 0 then job_id end,
        (seconds = 0 and put_job.priority < 1024)::integer, (seconds = 0)::integer, (seconds > 0)::integer);
    return job_id;
end $$;

-- The variants become one call of the function above in the plan of the caller, if their names need no search_path.
do $do$
declare
    kind record;
begin
    for kind in values ('text', 'convert_to($2, ''UTF8'')'), ('bytea', '$2'), ('jsonb', 'convert_to($2::text, ''UTF8'')')
    loop
        execute format($create$
            create function put(
                tube text, body %s, priority bigint default 1024, delay interval default '0',
                ttr interval default '60 seconds'
            ) returns bigint
            language sql as $$ select %I.put_job($1, %s, $3, $4, $5) $$
            $create$, kind.column1, current_schema(), kind.column2);
    end loop;
end $do$;

create function put_jobs(tube text, bodies bytea[], priority bigint, delay interval, ttr interval)
returns setof bigint
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    tube_id integer := open_tube(put_jobs.tube);
    seconds bigint := check_seconds(put_jobs.delay, 'a delay', 'BR003', 0);
    ttr_seconds bigint := greatest(1, check_seconds(put_jobs.ttr, 'a time to run', 'BR004', 0));
    ids bigint[];
begin
    perform check_priority(put_jobs.priority);
    if put_jobs.bodies is null then perform refuse_null('an array of bodies'); end if;
    if cardinality(put_jobs.bodies) = 0 then return; end if;
    perform check_body(body) from (
        select body from unnest(put_jobs.bodies) as new (body) order by octet_length(body) desc nulls first limit 1
    ) as largest;
    perform pg_advisory_xact_lock_shared(sql_lock_key());
    with new as (
        insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
        select
            nextval('job_id'), tube_id, put_jobs.priority, (seconds > 0)::integer, ttr_seconds, seconds,
            clock_timestamp(), clock_timestamp() + put_jobs.delay, body
        from unnest(put_jobs.bodies) with ordinality as new (body, place)
        order by place
        returning id
    )
    select array_agg(id order by id) into ids from new;
    perform tell_brokers(
        tube_id, case when seconds = 0 then put_jobs.priority end, case when seconds = 0 then ids[1] end,
        case when seconds = 0 and put_jobs.priority < 1024 then cardinality(ids) else 0 end,
        case when seconds = 0 then cardinality(ids) else 0 end, case when seconds > 0 then cardinality(ids) else 0 end, 0);
    return query select unnest(ids);
end $$;

create function put_many(
    tube text, bodies text[], priority bigint default 1024, delay interval default '0',
    ttr interval default '60 seconds'
) returns setof bigint
language plpgsql security definer set search_path from current
as $$
begin
    return query select put_jobs(
        tube, (select array_agg(convert_to(body, 'UTF8') order by place)
            from unnest(coalesce(bodies, array[null])) with ordinality as new (body, place)),
        priority, delay, ttr)
    where cardinality(bodies) > 0 or bodies is null;
end $$;

create function put_many(
    tube text, bodies bytea[], priority bigint default 1024, delay interval default '0',
    ttr interval default '60 seconds'
) returns setof bigint
language plpgsql security definer set search_path from current
as $$ begin return query select put_jobs(tube, bodies, priority, delay, ttr); end $$;

create function put_many(
    tube text, bodies jsonb[], priority bigint default 1024, delay interval default '0',
    ttr interval default '60 seconds'
) returns setof bigint
language plpgsql security definer set search_path from current
as $$ begin return query select put_many(tube, bodies::text[], priority, delay, ttr); end $$;

-- MARK: Jobs that brokers have

-- Declares brokers dead that have not been heard of for long, as other brokers do. Does nothing while a batch of theirs
-- is still under way.
create function bury_brokers() returns void
language plpgsql set search_path from current set lock_timeout to '200ms'
as $$
declare
    dead bigint[];
begin
    with gone as (
        delete from broker where heartbeat_at < clock_timestamp() - interval '5 seconds' returning epoch
    ), fences as (
        delete from fence using gone where fence.epoch = gone.epoch
    ), awaited as (
        delete from tube_awaited using gone where tube_awaited.epoch = gone.epoch
    ), held as (
        delete from tube_held using gone where tube_held.epoch = gone.epoch
    )
    select array_agg(epoch) into dead from gone;
    if dead is null then return; end if;
    -- Their last batches stay, emptied: one that was only cut off may yet ask for them.
    with old as materialized (
        select epoch, writer, batch, tube_ids, urgent, ready, delayed, buried from ledger
        where epoch = any (dead) and tube_ids <> '{}'
        for update
    ), emptied as (
        update ledger set tube_ids = '{}', urgent = '{}', ready = '{}', delayed = '{}', buried = '{}'
        from old
        where ledger.epoch = old.epoch and ledger.writer = old.writer and ledger.batch = old.batch
    )
    insert into tube_count (tube_id, urgent, ready, delayed, buried)
    select change.tube_id, sum(change.urgent), sum(change.ready), sum(change.delayed), sum(change.buried)
    from old, unnest(old.tube_ids, old.urgent, old.ready, old.delayed, old.buried)
        as change (tube_id, urgent, ready, delayed, buried)
    group by change.tube_id
    order by change.tube_id
    on conflict (tube_id) do update set
        urgent = tube_count.urgent + excluded.urgent,
        ready = tube_count.ready + excluded.ready,
        delayed = tube_count.delayed + excluded.delayed,
        buried = tube_count.buried + excluded.buried;
exception
    when lock_not_available or deadlock_detected then null;
end $$;

-- Has every broker give back what no client of it holds, and write down what one does; waits for that. Afterwards, and
-- for half a second, a lease without a reservation is one that a client is about to get.
create function summon_brokers() returns void
language plpgsql set search_path from current
as $$
declare
    own bigint := nextval('summons');
    patience timestamptz := clock_timestamp() + interval '10 seconds';
begin
    while exists (select from broker where answered < own) loop
        if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
            perform refuse('BR010', 'what brokers answer is not seen in a repeatable read or serializable transaction',
                'Call this function in a read committed transaction, or by itself.');
        end if;
        if clock_timestamp() > patience then
            perform refuse('BR010', 'a broker has not given its jobs back within 10 seconds',
                'Try again; if it fails again, see whether all brokers run this version: select * from brokers.');
        end if;
        perform bury_brokers();
        perform pg_sleep(0.005);
    end loop;
end $$;

-- What is to be known before a job is touched.
create function leased_by(job job) returns text
language sql volatile set search_path from current
as $$
    select case
        when job.lease_epoch is null or not broker_lives(job.lease_epoch) then
            case when job.state = 0 and exists (select from broker where is_sole) then 'broker' else 'nobody' end
        when job.reserved_at is not null then 'client'
        else 'broker'
    end
$$;

-- Locks a job for the caller's transaction. NULL: a client has it reserved, or nobody waits for long enough.
create function take_job(job_id bigint) returns job
language plpgsql set search_path from current
as $$
#variable_conflict use_column
declare
    found job;
    patience timestamptz := clock_timestamp() + interval '10 seconds';
begin
    if take_job.job_id is null then perform refuse_null('the id of a job'); end if;
    perform begin_sql();
    perform end_leases();
    loop
        select * into found from job where id = take_job.job_id;
        if found.id is null then
            perform refuse('BR006', format('there is no job %s', take_job.job_id),
                'It may have been deleted a moment ago; select id from jobs lists those that are there.');
        end if;
        case leased_by(found)
        when 'client' then return null;
        when 'broker' then perform summon_brokers();
        else
            select * into found from job
            where id = take_job.job_id and (lease_epoch is null
                or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                and not broker_lives(lease_epoch))
            for update skip locked;
            if found.id is not null then
                if leased_by(found) = 'nobody' then return found; end if;
            end if;
            perform pg_sleep(0.005);
        end case;
        if clock_timestamp() > patience then
            perform refuse('BR010', format('job %s is in use by another transaction', take_job.job_id),
                'Try again when that has ended; select * from pg_stat_activity shows those that are open.');
        end if;
    end loop;
end $$;

-- MARK: Steering

create function kick_job(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := take_job(kick_job.id);
begin
    if old.state is null or old.state = 0 then return false; end if;
    update job set
        state = 0, bury_order = null, lease_epoch = null, reserved_at = null, reserved_until = null,
        due_at = clock_timestamp(), kicks = kicks + 1
    where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, 0::smallint, old.priority);
    return true;
end $$;

create function delete_job(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := take_job(delete_job.id);
begin
    if old.state is null then return false; end if;
    delete from job where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, null, null);
    return true;
end $$;

create function bury_job(id bigint, priority bigint default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    old job := take_job(bury_job.id);
    new_priority bigint := coalesce(bury_job.priority, old.priority);
begin
    perform check_priority(coalesce(new_priority, 0));
    if old.state is null or old.state = 2 then return false; end if;
    update job set
        state = 2, bury_order = nextval('job_bury_order'), priority = new_priority,
        lease_epoch = null, reserved_at = null, reserved_until = null, buries = buries + 1
    where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, 2::smallint, new_priority);
    return true;
end $$;

create function move_job(id bigint, tube text) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    target integer := open_tube(move_job.tube);
    old job := take_job(move_job.id);
begin
    if old.state is null then return false; end if;
    if old.tube_id = target then return true; end if;
    update job set tube_id = target where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, null, null);
    perform tell_of_job(target, old.id, null, null, old.state, old.priority);
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
    old := take_job(set_priority.id);
    if old.state is null then return false; end if;
    update job set priority = set_priority.priority where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, old.state, set_priority.priority);
    return true;
end $$;

-- Of a job that is ready or delayed: no delay makes it ready.
create function set_delay(id bigint, delay interval) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    seconds bigint := check_seconds(set_delay.delay, 'a delay', 'BR003', 0);
    old job := take_job(set_delay.id);
    new_state smallint := (seconds > 0)::integer;
begin
    if old.state is null or old.state = 2 then return false; end if;
    update job set
        state = new_state, delay = seconds, due_at = clock_timestamp() + set_delay.delay,
        lease_epoch = null, reserved_at = null, reserved_until = null
    where job.id = old.id;
    perform tell_of_job(old.tube_id, old.id, old.state, old.priority, new_state, old.priority);
    return true;
end $$;

-- Buried jobs in the order of their burial; if there are none, delayed ones, soonest first.
create function kick(tube text, up_to integer default 1) returns integer
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off set plan_cache_mode to force_custom_plan
as $$
#variable_conflict use_column
declare
    target integer := find_tube(kick.tube);
    was smallint;
    chosen bigint[];
    counted record;
begin
    if kick.up_to is null then perform refuse_null('how many jobs to kick'); end if;
    perform begin_sql();
    foreach was in array array[2, 1] loop
        chosen := case was
            when 2 then array(
                select id from job
                where tube_id = target and state = 2 and (lease_epoch is null
                    or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                    and not broker_lives(lease_epoch))
                order by bury_order limit greatest(0, kick.up_to) for update skip locked)
            else array(
                select id from job
                where tube_id = target and state = 1 and (lease_epoch is null
                    or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                    and not broker_lives(lease_epoch))
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
        perform tell_brokers(
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
    target integer := find_tube(set_pause.tube);
begin
    perform begin_sql();
    update tube set
        pause = nullif(set_pause.seconds, 0),
        paused_until = case when set_pause.seconds > 0 then clock_timestamp() + set_pause.length end
    where id = target;
    perform tell_brokers(target, null, null, 0, 0, 0, 0);
end $$;

create function pause(tube text, length interval) returns void
language plpgsql security definer set search_path from current
as $$ begin perform set_pause(tube, check_seconds(length, 'a pause', 'BR003', 1), length); end $$;

create function unpause(tube text) returns void
language plpgsql security definer set search_path from current
as $$ begin perform set_pause(tube, 0, '0'); end $$;

-- Deletes at most so many jobs of a tube that no client has reserved; `state`: only those that are ready, delayed or
-- buried. Returns how many it has deleted: call it again, in another transaction, until there are none.
create function clear(tube text, up_to integer default 10000, state text default null) returns integer
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off set plan_cache_mode to force_custom_plan
as $$
#variable_conflict use_column
declare
    target integer := find_tube(clear.tube);
    states smallint[];
    wanted smallint;
    counted bigint;
    urgent bigint;
    total integer := 0;
begin
    if clear.up_to is null then perform refuse_null('how many jobs to delete'); end if;
    states := case clear.state
        when 'ready' then '{0}' when 'delayed' then '{1}' when 'buried' then '{2}' else '{0,1,2}' end;
    if clear.state not in ('ready', 'delayed', 'buried') then
        perform refuse('BR001', format('%s is no state of jobs that can be cleared', quote_literal(clear.state)),
            'The states are ready, delayed and buried; jobs that are reserved stay.');
    end if;
    perform begin_sql();
    perform end_leases();
    if 0 = any (states) and exists (select from broker) then perform summon_brokers(); end if;
    foreach wanted in array states loop
        loop
            -- Each state has an index of its own.
            with chosen as (
                select id from job
                where tube_id = target and state = wanted
                    and (lease_epoch is null
                        or lease_epoch > 0 and lease_epoch <> all (array(select epoch from broker))
                        and not broker_lives(lease_epoch))
                limit least(1000, greatest(0, clear.up_to) - total)
                for update skip locked
            ), gone as (
                delete from job where id = any (array(select id from chosen)) returning priority
            )
            select count(*), count(*) filter (where wanted = 0 and priority < 1024) into counted, urgent from gone;
            exit when counted = 0;
            total := total + counted;
            perform tell_brokers(
                target, null, null, -urgent, case when wanted = 0 then -counted else 0 end,
                case when wanted = 1 then -counted else 0 end, case when wanted = 2 then -counted else 0 end);
        end loop;
    end loop;
    return total;
end $$;

-- MARK: Taking

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
        update job set lease_epoch = null, reserved_at = null, reserved_until = null, timeouts = timeouts + 1
        where id = any (late)
        returning id, tube_id, priority
    )
    insert into sql_change (number, tube_id, priority, job_id)
    select nextval('sql_change_number'), tube_id, (min(array[priority, id]))[1], (min(array[priority, id]))[2]
    from ended
    group by tube_id;
end $$;

-- Who reserves: the session, or whom the caller names.
create function sql_holder(named bigint) returns bigint
language plpgsql set search_path from current
as $$
declare
    setting text := format('beanrow.holder_%s', 'job'::regclass::oid);
    own text := coalesce(named::text, nullif(current_setting(setting, true), ''));
begin
    if own is null then
        own := nextval('sql_holder')::text;
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
    seconds bigint := check_seconds(reserve.lease, 'a lease', 'BR004', 1);
    watched integer[];
    heads record;
    got bigint[] := '{}';
    more bigint[];
begin
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
        delete from job where id = any (finish.ids) returning tube_id, priority
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
        select id, priority from job where id = any (release.ids)
    ), moved as (
        update job set
            state = (seconds > 0)::integer, priority = coalesce(release.priority, job.priority), delay = seconds,
            due_at = clock_timestamp() + release.delay, releases = releases + 1,
            lease_epoch = null, reserved_at = null, reserved_until = null
        from old
        where job.id = old.id
        returning job.id, job.tube_id, job.priority, old.priority as old_priority
    )
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed)
    select
        nextval('sql_change_number'), tube_id,
        case when seconds = 0 then (min(array[priority, id]))[1] end,
        case when seconds = 0 then (min(array[priority, id]))[2] end,
        count(*) filter (where seconds = 0 and priority < 1024) - count(*) filter (where old_priority < 1024),
        case when seconds = 0 then 0 else -count(*) end, case when seconds = 0 then 0 else count(*) end
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
            buries = buries + 1, lease_epoch = null, reserved_at = null, reserved_until = null
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

-- MARK: Reporting

create function body_text(body bytea) returns text
language plpgsql immutable strict set search_path from current
as $$
begin
    return convert_from(body, 'UTF8');
exception
    when character_not_in_repertoire or untranslatable_character or program_limit_exceeded then return null;
end $$;

create function body_json(body bytea) returns jsonb
language plpgsql immutable strict set search_path from current
as $$
begin
    return convert_from(body, 'UTF8')::jsonb;
exception
    when data_exception or program_limit_exceeded or statement_too_complex then return null;
end $$;

-- A replica shows what the primary has written by some moment in the past; times are compared with that moment.
create or replace view brokers as
select
    epoch,
    host,
    pid,
    started_at,
    heartbeat_at,
    heartbeat_at > case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(), now()) else now() end
        - interval '5 seconds' as alive,
    is_sole as sole,
    max_job_size
from broker;

create or replace view jobs as
select
    job.id,
    tube.name as tube,
    case
        when held.epoch is not null or taken.job_id is not null then 'reserved'
        when job.state = 0 then 'ready'
        when job.state = 1 then 'delayed'
        else 'buried'
    end as state,
    job.priority,
    job.body,
    job.created_at,
    job.due_at as ready_at,
    case when held.epoch is not null or taken.job_id is not null then job.reserved_at end as reserved_at,
    case when held.epoch is not null or taken.job_id is not null then job.reserved_until end as reserved_until,
    make_interval(secs => job.ttr) as ttr,
    make_interval(secs => job.delay) as delay,
    job.reserves,
    job.timeouts,
    job.releases,
    job.buries,
    job.kicks,
    held.epoch as broker,
    taken.pid as sql_session
from job
join tube on tube.id = job.tube_id
left join brokers as held on held.epoch = job.lease_epoch and held.alive and job.reserved_at is not null
left join sql_lease as taken
    on taken.job_id = job.id and job.lease_epoch < 0
    and taken.until > case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(), now()) else now() end;

create or replace view tubes as
select
    tube.name,
    coalesce(total.ready, 0) - coalesce(held.ready, 0) as ready,
    coalesce(total.delayed, 0) - coalesce(held.delayed, 0) as delayed,
    coalesce(held.ready + held.delayed + held.buried, 0) as reserved,
    coalesce(total.buried, 0) - coalesce(held.buried, 0) as buried,
    (select min(jobs.ready_at) from jobs where jobs.tube = tube.name and jobs.state = 'ready') as oldest_ready_at,
    case when tube.paused_until > now() then tube.paused_until end as paused_until
from tube
left join (
    select tube_id, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
    from (
        select tube_id, ready, delayed, buried from tube_count
        union all
        select tube_id, ready, delayed, buried from sql_change
        union all
        select change.*
        from ledger, unnest(ledger.tube_ids, ledger.ready, ledger.delayed, ledger.buried) as change
    ) as part (tube_id, ready, delayed, buried)
    group by tube_id
) as total on total.tube_id = tube.id
left join (
    select tube_id, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
    from (
        select tube_id, ready, delayed, buried
        from tube_held
        join brokers using (epoch)
        where brokers.alive
        union all
        select tube_id, 1, 0, 0 from sql_lease
    ) as part (tube_id, ready, delayed, buried)
    group by tube_id
) as held on held.tube_id = tube.id;

comment on column jobs.id is 'The number that the put was told. Greater is younger, nearly always.';
comment on column jobs.tube is 'The name of its tube.';
comment on column jobs.state is 'ready, delayed, buried, or reserved: in the hands of a client.';
comment on column jobs.priority is '0 is the most urgent; 4294967295 is the least.';
comment on column jobs.body is 'What was put, byte by byte; body_text and body_json read it.';
comment on column jobs.created_at is 'When it was put.';
comment on column jobs.ready_at is 'When it became ready, or will: a put, a kick, or the end of a delay.';
comment on column jobs.reserved_at is 'Since when a client has had it; NULL unless it is reserved.';
comment on column jobs.reserved_until is 'When that ends, unless the client touches it; NULL unless it is reserved.';
comment on column jobs.ttr is 'How long a client of a broker may have it at a time: the time to run.';
comment on column jobs.delay is 'The last delay that was asked for it.';
comment on column jobs.reserves is 'How often it has been reserved.';
comment on column jobs.timeouts is 'How often a client had it for too long.';
comment on column jobs.releases is 'How often a client has given it back.';
comment on column jobs.buries is 'How often it has been buried.';
comment on column jobs.kicks is 'How often it has been kicked.';
comment on column jobs.broker is 'The epoch of the broker whose client has it: see brokers.';
comment on column jobs.sql_session is 'The pid of the SQL session that has it: see pg_stat_activity.';

comment on column tubes.name is 'Its name, 1 to 200 bytes.';
comment on column tubes.ready is 'Jobs that may be reserved.';
comment on column tubes.delayed is 'Jobs that will be ready when their delay is over.';
comment on column tubes.reserved is 'Jobs in the hands of clients.';
comment on column tubes.buried is 'Jobs that wait for a kick.';
comment on column tubes.oldest_ready_at is 'When the job became ready that has waited for longest. Looks at all ready jobs of the tube.';
comment on column tubes.paused_until is 'Until when no job of it may be reserved; NULL when it is not paused.';

comment on column brokers.epoch is 'Numbers this life of the broker: it is never used again.';
comment on column brokers.host is 'The name of its machine.';
comment on column brokers.pid is 'Its process there.';
comment on column brokers.started_at is 'When it registered.';
comment on column brokers.heartbeat_at is 'When it was last heard of; once a second.';
comment on column brokers.alive is 'Whether it was heard of in the last 5 s; on a replica, of what the replica has got.';
comment on column brokers.sole is 'Whether it is the only one, and writes no leases.';
comment on column brokers.max_job_size is 'Bytes of a body that it takes.';

comment on function put(text, text, bigint, interval, interval) is 'Puts a job; it exists when the transaction commits. Returns its id.';
comment on function put(text, bytea, bigint, interval, interval) is 'Puts a job; it exists when the transaction commits. Returns its id.';
comment on function put(text, jsonb, bigint, interval, interval) is 'Puts a job; it exists when the transaction commits. Returns its id.';
comment on function put_many(text, text[], bigint, interval, interval) is 'Puts a job for each body, in their order. Returns the ids.';
comment on function put_many(text, bytea[], bigint, interval, interval) is 'Puts a job for each body, in their order. Returns the ids.';
comment on function put_many(text, jsonb[], bigint, interval, interval) is 'Puts a job for each body, in their order. Returns the ids.';
comment on function kick(text, integer) is 'Makes buried jobs ready, or delayed ones if none is buried; returns how many.';
comment on function kick_job(bigint) is 'Makes a buried or delayed job ready; false when it is neither.';
comment on function delete_job(bigint) is 'Deletes a job; false when a client has it reserved.';
comment on function bury_job(bigint, bigint) is 'Buries a ready or delayed job; false when it is neither.';
comment on function move_job(bigint, text) is 'Moves a job to another tube; false when a client has it reserved.';
comment on function set_priority(bigint, bigint) is 'Changes the priority of a job; false when a client has it reserved.';
comment on function set_delay(bigint, interval) is 'Delays a ready or delayed job anew, 0 for not at all; false when it is neither.';
comment on function pause(text, interval) is 'No job of the tube is given out for so long.';
comment on function unpause(text) is 'Ends a pause.';
comment on function clear(text, integer, text) is 'Deletes at most so many jobs of a tube that no client has; returns how many.';
comment on function reserve(text[], interval, integer, bigint) is 'Reserves the next jobs of these tubes for this session.';
comment on function finish(bigint[], bigint) is 'Deletes jobs that this session has reserved: all or none.';
comment on function release(bigint[], bigint, interval, bigint) is 'Gives jobs back that this session has reserved: all or none.';
comment on function bury(bigint[], bigint, bigint) is 'Buries jobs that this session has reserved: all or none.';
comment on function touch(bigint[], interval, bigint) is 'Lets the leases of jobs that this session has reserved start anew.';
comment on function body_text(bytea) is 'The body as text; NULL when it is not UTF-8.';
comment on function body_json(bytea) is 'The body as jsonb; NULL when it is no JSON.';

-- Whoever shall call a function is granted that: beanrow migrate roles.
do $$ begin
    execute format('revoke execute on all functions in schema %I from public', current_schema());
end $$;
