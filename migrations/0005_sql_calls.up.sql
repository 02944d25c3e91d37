-- How each call of a function begins and ends: it passes the gate, finds its tube, and records what it has changed.

-- MARK: The gate

-- Locks sql_gate to the end of the transaction: until then brokers know that more may come, and none becomes the sole
-- one. A call does this before anything else, also before it draws the number of a change, since brokers look at the
-- sequence first (Statement.look in SQLStatements.swift). put_job has the body of this function written out.
create function begin_call() returns void
language plpgsql set search_path from current
as $$
begin
    lock table sql_gate in row share mode;
    if random() < 0.004 then perform merge_changes(); end if;
end $$;

-- For brokers, which ask 20 times a second: true if no transaction is open that has called a function. The lock itself is
-- tried, for as long as the question lasts: pg_locks would copy the locks of all sessions.
create function sql_is_quiet() returns boolean
language plpgsql security definer set search_path from current
as $$
begin
    lock table sql_gate in exclusive mode nowait;
    return true;
exception
    when lock_not_available then return false;
end $$;

-- For brokers: keeps calls waiting until the end of this transaction; false when one is at work. It waits for 10 ms at
-- most, since calls that come meanwhile wait behind it.
create function hold_off_sql() returns boolean
language plpgsql security definer set search_path from current set lock_timeout to '10ms'
as $$
begin
    lock table sql_gate in exclusive mode;
    return true;
exception
    when lock_not_available then return false;
end $$;

-- MARK: Changes

-- Records what a call has done to a tube: how many jobs have come into each state, or left it (negative), and the first
-- job that has become ready, or null. Brokers learn of the tube by that.
create function record_change(
    tube integer, first_priority bigint, first_job bigint, urgent bigint, ready bigint, delayed bigint, buried bigint
) returns void
language sql set search_path from current
as $$
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
    values (nextval('sql_change_number'), tube, first_priority, first_job, urgent, ready, delayed, buried)
$$;

-- Records the change of one job: `was` and `is_now` are states, or null for none.
create function record_job_change(
    tube integer, job bigint, was smallint, old_priority bigint, is_now smallint, priority bigint
) returns void
language sql set search_path from current
as $$
    select record_change(
        tube, case when is_now = 0 then priority end, case when is_now = 0 then job end,
        coalesce((is_now = 0 and priority < 1024)::integer, 0) - coalesce((was = 0 and old_priority < 1024)::integer, 0),
        coalesce((is_now = 0)::integer, 0) - coalesce((was = 0)::integer, 0),
        coalesce((is_now = 1)::integer, 0) - coalesce((was = 1)::integer, 0),
        coalesce((is_now = 2)::integer, 0) - coalesce((was = 2)::integer, 0))
$$;

-- Makes one row a tube of the latest changes, which pile up while no broker folds them. It takes the last few numbers
-- mostly, and many now and then, so that each row is merged a few times, however many there are. The new rows have new
-- numbers, by which brokers find them. No call waits for this or fails because of it: rows that another transaction has
-- locked stay as they are.
create function merge_changes() returns void
language plpgsql set search_path from current
as $$
declare
    width bigint := 1024 * 2 ^ least(8, floor(-log(2, (1 - random())::numeric)));
begin
    if exists (select from broker where heartbeat_at > clock_timestamp() - interval '1 minute')
        or current_setting('transaction_isolation') = 'serializable'
    then
        return;
    end if;
    with gone as (
        delete from sql_change where number = any (array(
            select number from sql_change
            where number > (select last_value from sql_change_number) - width
            order by number
            for update skip locked))
        returning tube_id, priority, job_id, urgent, ready, delayed, buried
    )
    insert into sql_change (number, tube_id, priority, job_id, urgent, ready, delayed, buried)
    select nextval('sql_change_number'), change.*
    from (
        select
            tube_id, (min(array[priority, job_id]) filter (where job_id is not null))[1],
            (min(array[priority, job_id]) filter (where job_id is not null))[2],
            sum(urgent), sum(ready), sum(delayed), sum(buried)
        from gone
        group by tube_id
    ) as change;
exception
    when serialization_failure then null;
end $$;

-- MARK: Tubes

-- Returns the tube of this name to put into, and makes it if it is missing; one that is about to be removed stays then.
-- To be called after begin_call, for which whoever removes tubes waits. Two calls that make the same tube: the second
-- waits for the end of the first one's transaction.
create function open_tube(name text) returns integer
language plpgsql set search_path from current
as $$
declare
    known integer := (select id from tube where tube.name = open_tube.name and remover is null);
begin
    if known is not null then
        -- What an older snapshot shows may be about to be removed, or removed already.
        if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
            perform from tube where id = known for key share;
        end if;
        return known;
    end if;
    perform check_tube(name);
    insert into tube (name) values (open_tube.name)
    on conflict on constraint tube_name_key do update set remover = null
    returning id into known;
    return known;
end $$;

-- Returns the tube of this name, or refuses when there is none.
create function find_tube(name text) returns integer
language plpgsql set search_path from current
as $$
declare
    known integer;
begin
    if name is null then perform refuse_null('the name of a tube'); end if;
    select id into known from tube where tube.name = find_tube.name;
    if known is null then
        perform refuse('BR001', format('there is no tube %s', quote_literal(left(name, 250))),
            'Names of tubes are case-sensitive; select name from tubes lists them.');
    end if;
    return known;
end $$;

select hide_functions();
