-- Jobs put by SQL, in the caller's transaction. A put costs little more than its insert.

-- MARK: Checks

create function check_key(key text) returns void
language plpgsql set search_path from current
as $$
begin
    -- As brokers take them after `idp:`.
    if not is_name(key) then
        perform refuse('BR012', format('%s is no key for a job', quote_literal(left(key, 250))),
            'A key is made as names of tubes are: 1 to 200 of A-Z a-z 0-9 - + / ; . $ _ ( ), the first no hyphen.');
    end if;
end $$;

-- Refuses more ready jobs than the policy of the tube allows. It does not use the view `tubes`, which adds up the counts
-- of all tubes. Nor does it count what brokers have committed in the last half second, since it would walk the dead rows
-- of the ledger for that; only when there is no broker, which would fold the ledger, does it look there. Of the changes by
-- SQL it counts the last 5000.
create function check_room(tube text, most bigint, count integer) returns void
language plpgsql set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set jit to off
as $$
declare
    wanted integer := (select id from tube where tube.name = check_room.tube);
    unfolded bigint := 5000;
    ready bigint;
begin
    ready :=
        coalesce((select tube_count.ready from tube_count where tube_id = wanted), 0)
        + coalesce((
            select sum(sql_change.ready) from sql_change
            where number > (select last_value from sql_change_number) - unfolded and tube_id = wanted), 0)
        - coalesce((
            select sum(tube_held.ready) from broker join tube_held using (epoch) where tube_id = wanted), 0)
        - (select count(*) from sql_lease where until > statement_timestamp() and tube_id = wanted);
    if not exists (select from broker) then
        ready := ready + coalesce((
            select sum(ledger_change.ready) from ledger_change where tube_id = wanted), 0);
    end if;
    if ready + count > most then
        perform refuse('BR009', format('tube %s is full: it has %s ready jobs of %s', quote_literal(tube), ready, most),
            'Put later, or raise max_ready: select set_policy(...).');
    end if;
end $$;

-- MARK: One job

-- Arguments that are right are found so here, since a call of a function costs as much as half an insert. The functions
-- for checks are called for the others, and say what is wrong.
create function put_job(tube text, body bytea, priority bigint, delay interval, ttr interval, key text)
returns bigint
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
<<own>>
declare
    tube_id integer;
    job_id bigint;
    seconds bigint := ceil(extract(epoch from put_job.delay));
    ttr_seconds bigint := ceil(extract(epoch from put_job.ttr));
    most bigint;
    moment timestamptz;
begin
    -- As begin_call does.
    lock table sql_gate in row share mode;
    if random() < 0.004 then perform merge_changes(); end if;
    tube_id := (select id from tube where tube.name = put_job.tube and remover is null);
    if tube_id is null or current_setting('transaction_isolation') <> 'read committed' then
        tube_id := open_tube(put_job.tube);
    end if;
    if put_job.priority between 0 and 4294967295 then else perform check_priority(put_job.priority); end if;
    if put_job.delay >= '0' and seconds <= 4294967295 then
    else perform check_seconds(put_job.delay, 'a delay', 'BR003', 0);
    end if;
    if put_job.ttr >= '0' and ttr_seconds <= 4294967295 then
    else perform check_seconds(put_job.ttr, 'a time to run', 'BR004', 0);
    end if;
    if octet_length(put_job.body) <= (select max(max_job_size) from broker) then
    else perform check_body(put_job.body);
    end if;
    most := (select max_ready from tube_policy where tube_policy.tube_id = own.tube_id);
    if seconds = 0 and most is not null then perform check_room(put_job.tube, most, 1); end if;
    if put_job.key is not null then perform check_key(put_job.key); end if;
    while job_id is null loop
        if put_job.key is not null then
            select id into job_id from job where job.tube_id = own.tube_id and job.key = put_job.key;
            if job_id is not null then return job_id; end if;
        end if;
        moment := clock_timestamp();
        if put_job.key is null then
            insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
            values (
                nextval('job_id'), tube_id, put_job.priority, (seconds > 0)::integer, greatest(1, ttr_seconds),
                seconds, moment, moment + put_job.delay, put_job.body)
            returning id into job_id;
        else
            -- Waits for the end of a transaction that puts the same key. After that the job is there, or is not.
            insert into job (id, tube_id, key, priority, state, ttr, delay, created_at, due_at, body)
            values (
                nextval('job_id'), tube_id, put_job.key, put_job.priority, (seconds > 0)::integer,
                greatest(1, ttr_seconds), seconds, moment, moment + put_job.delay, put_job.body)
            on conflict (tube_id, key) where key is not null do nothing
            returning id into job_id;
        end if;
    end loop;
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed)
    values (
        nextval('sql_change_number'), tube_id,
        case when seconds = 0 then put_job.priority end, case when seconds = 0 then job_id end,
        (seconds = 0 and put_job.priority < 1024)::integer, (seconds = 0)::integer, (seconds > 0)::integer);
    return job_id;
end $$;

-- The planner puts a call of put_job in the place of each of these. They have no search_path for that reason; the name of
-- put_job is bound when they are made.
create function put(
    tube text, body text, priority bigint default 1024, delay interval default '0', ttr interval default '60 seconds',
    key text default null
) returns bigint
language sql return put_job(tube, convert_to(body, 'UTF8'), priority, delay, ttr, key);

create function put(
    tube text, body bytea, priority bigint default 1024, delay interval default '0', ttr interval default '60 seconds',
    key text default null
) returns bigint
language sql return put_job(tube, body, priority, delay, ttr, key);

create function put(
    tube text, body json, priority bigint default 1024, delay interval default '0', ttr interval default '60 seconds',
    key text default null
) returns bigint
language sql return put_job(tube, convert_to(body::text, 'UTF8'), priority, delay, ttr, key);

create function put(
    tube text, body jsonb, priority bigint default 1024, delay interval default '0', ttr interval default '60 seconds',
    key text default null
) returns bigint
language sql return put_job(tube, convert_to(body::text, 'UTF8'), priority, delay, ttr, key);

-- MARK: Many jobs

create function put_jobs(tube text, bodies bytea[], priority bigint, delay interval, ttr interval)
returns setof bigint
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
<<own>>
declare
    tube_id integer;
    seconds bigint := check_seconds(put_jobs.delay, 'a delay', 'BR003', 0);
    ttr_seconds bigint := greatest(1, check_seconds(put_jobs.ttr, 'a time to run', 'BR004', 0));
    most bigint;
    ids bigint[];
    moment timestamptz;
begin
    perform begin_call();
    tube_id := open_tube(put_jobs.tube);
    most := (select max_ready from tube_policy where tube_policy.tube_id = own.tube_id);
    perform check_priority(put_jobs.priority);
    if put_jobs.bodies is null then perform refuse_null('an array of bodies'); end if;
    if cardinality(put_jobs.bodies) = 0 then return; end if;
    perform check_body(body) from (
        select body from unnest(put_jobs.bodies) as new (body) order by octet_length(body) desc nulls first limit 1
    ) as largest;
    if seconds = 0 and most is not null then
        perform check_room(put_jobs.tube, most, cardinality(put_jobs.bodies));
    end if;
    moment := clock_timestamp();
    with new as (
        insert into job (id, tube_id, priority, state, ttr, delay, created_at, due_at, body)
        select
            nextval('job_id'), tube_id, put_jobs.priority, (seconds > 0)::integer, ttr_seconds, seconds,
            moment, moment + put_jobs.delay, body
        from unnest(put_jobs.bodies) with ordinality as new (body, place)
        order by place
        returning id
    )
    select array_agg(id order by id) into ids from new;
    perform record_change(
        tube_id, case when seconds = 0 then put_jobs.priority end, case when seconds = 0 then ids[1] end,
        case when seconds = 0 and put_jobs.priority < 1024 then cardinality(ids) else 0 end,
        case when seconds = 0 then cardinality(ids) else 0 end, case when seconds > 0 then cardinality(ids) else 0 end, 0);
    return query select unnest(ids);
end $$;

-- One function for all types of arrays: of several, PostgreSQL could choose none for a literal, whose type is unknown. It
-- takes these types alone, since the cast of a type of somebody's own would run with the rights of our owner.
create function put_many(
    tube text, bodies anycompatiblearray, priority bigint default 1024, delay interval default '0',
    ttr interval default '60 seconds'
) returns setof bigint
language plpgsql security definer set search_path from current
as $$
declare
    kind constant regtype := pg_typeof(bodies);
begin
    if kind = 'bytea[]'::regtype then
        return query select put_jobs(tube, bodies::bytea[], priority, delay, ttr);
    elsif kind in ('text[]'::regtype, 'varchar[]'::regtype, 'json[]'::regtype, 'jsonb[]'::regtype) then
        return query select put_jobs(
            tube, case when bodies is not null then array(
                select convert_to(body, 'UTF8')
                from unnest(bodies::text[]) with ordinality as new (body, place)
                order by place)
            end,
            priority, delay, ttr);
    else
        perform refuse('BR005', format('bodies of the type %s cannot be put', kind),
            'Give an array of text, bytea, json or jsonb.');
    end if;
end $$;

comment on function put(text, text, bigint, interval, interval, text) is 'Puts a job, which exists when the transaction commits. Returns its id. If a job of the tube has the key, puts none and returns the id of that job.';
comment on function put(text, bytea, bigint, interval, interval, text) is 'Puts a job, which exists when the transaction commits. Returns its id. If a job of the tube has the key, puts none and returns the id of that job.';
comment on function put(text, json, bigint, interval, interval, text) is 'Puts a job, which exists when the transaction commits. Returns its id. If a job of the tube has the key, puts none and returns the id of that job.';
comment on function put(text, jsonb, bigint, interval, interval, text) is 'Puts a job, which exists when the transaction commits. Returns its id. If a job of the tube has the key, puts none and returns the id of that job.';
comment on function put_many(text, anycompatiblearray, bigint, interval, interval) is
    'Puts a job for each body of an array of text, bytea, json or jsonb, in their order. Returns the ids.';

select hide_functions();
