-- The queue from SQL: jobs are put, steered and taken by functions, beside brokers that may have any of them at that
-- moment (docs/ARCHITECTURE.md, SQL beside brokers; docs/sql.md for whoever calls them).
--
-- Errors have SQLSTATEs of their own class: BR001 tube, BR002 priority, BR003 delay, BR004 time to run or lease, BR005
-- body, BR006 unknown job, BR007 NULL, BR008 not reserved here, BR009 tube full, BR010 no answer.
--
-- Order of locks, so that no two wait for each other: sql_gate, then rows of job by their ids (or with skip locked), then
-- sql_lease, then the rest. Whoever changes a row of sql_lease has the row of its job locked.

-- Empty. Each call locks it in row share mode to the end of its transaction: that is how brokers know that SQL is at work,
-- and how they hold it off for a moment (hold_off_sql). Only the owner's functions can.
create table sql_gate ();
alter table sql_gate replica identity full;

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

-- Jobs that SQL sessions have reserved. In the row of the job the lease is -1; it ends when this row goes.
--
-- Whose it is: of the holder that the caller has named, or of the session. A session is what it cannot choose: its process
-- in this life of the server. Either belongs to the login, whatever role that has taken on since.
create table sql_lease (
    job_id bigint primary key,
    tube_id integer not null,
    priority bigint not null,
    login name not null,
    holder bigint,
    pid integer not null,
    server_start timestamptz not null,
    until timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create index sql_lease_until on sql_lease (until);

-- A negative lease lives until somebody ends it.
create or replace function broker_lives(bigint) returns boolean
language sql volatile set search_path from current
as 'select $1 < 0 or exists (select from broker where epoch = $1)';
revoke execute on function broker_lives(bigint) from public;

-- What brokers leave that are dead. Their last batches stay, emptied: one that was only cut off may yet ask for them.
create function inherit(dead bigint[]) returns void
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
    delete from tube_awaited where epoch = any (dead);
    delete from notice where epoch = any (dead);
    delete from tube_held where epoch = any (dead);
$$;

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
    if length < '0' or seconds < at_least or seconds > 4294967295 then
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
            'Put a reference to the data, or start the brokers with a higher -z.');
    end if;
end $$;

-- Tubes and keys are named alike.
create function is_name(name text) returns boolean
language sql immutable set search_path from current
as $$ select name ~ '^[A-Za-z0-9+/;.$_()][-A-Za-z0-9+/;.$_()]{0,199}$' $$;

create function check_tube(name text) returns void
language plpgsql set search_path from current
as $$
begin
    if name is null then perform refuse_null('the name of a tube'); end if;
    if not is_name(name) then
        perform refuse('BR001', format('%s is no name for a tube', quote_literal(left(name, 250))),
            'A name has 1 to 200 of the characters A-Z a-z 0-9 - + / ; . $ _ ( ), the first of them no hyphen.');
    end if;
end $$;

-- From here to the end of the transaction brokers know that more may come, and none becomes the sole one. It comes before
-- anything else: also before the number of a change is drawn (see Statement.look). put_job has it written out.
create function begin_sql() returns void
language plpgsql set search_path from current
as $$
begin
    lock table sql_gate in row share mode;
    if random() < 0.004 then perform merge_changes(); end if;
end $$;

-- For brokers, which ask twenty times a second: whether no transaction that has called a function is open. Tried by the
-- lock itself, for as long as the question lasts: pg_locks would copy the locks of all sessions for it.
create function sql_is_quiet() returns boolean
language plpgsql security definer set search_path from current
as $$
begin
    lock table sql_gate in exclusive mode nowait;
    return true;
exception
    when lock_not_available then return false;
end $$;

-- For brokers: no call begins from here to the end of the transaction; false when one is at work. Calls that come meanwhile
-- wait, so nobody waits here for long.
create function hold_off_sql() returns boolean
language plpgsql security definer set search_path from current set lock_timeout to '10ms'
as $$
begin
    lock table sql_gate in exclusive mode;
    return true;
exception
    when lock_not_available then return false;
end $$;

-- While no broker folds them, changes pile up. Now and then a call makes one row a tube of the latest: mostly of a few, now
-- and then of many, so that each row is merged a few times, however many there are. Brokers hear of the new rows by their
-- numbers. Nobody waits for that, and nobody's call fails for it: what another has locked stays as it is.
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

-- The tube of this name, made unless it is there, to put into: one that is about to be removed stays. To be called after
-- begin_sql, which whoever removes tubes waits for. Whoever makes the same one waits for the end of our transaction.
create function open_tube(name text) returns integer
language plpgsql set search_path from current
as $$
declare
    known integer := (select id from tube where tube.name = open_tube.name and remover is null);
begin
    if known is not null then
        -- What an older snapshot shows may be about to be removed, or have been.
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

-- A tube that a broker has made is counted from the beginning: by that it is found when it is to go again.
create function count_new_tube(tube integer) returns void
language sql set search_path from current
as $$ insert into tube_count (tube_id, urgent, ready, delayed, buried) values (tube, 0, 0, 0, 0) on conflict do nothing $$;

-- For brokers, which do not wait for the end of a caller's transaction: no row while one makes this tube.
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

-- The same for its pause; 0 ends one.
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

-- The functions that a migration makes are nobody's: whoever shall call one is granted that (beanrow migrate roles). What
-- was in the schema before is not touched: it may be somebody else's. The migrator has noted what that was.
create function hide_functions() returns void
language plpgsql set search_path from current
as $$
declare
    before constant oid[] := string_to_array(coalesce(current_setting('beanrow.functions_before', true), ''), ' ');
    made regprocedure;
begin
    for made in
        select pg_proc.oid from pg_proc
        join pg_namespace on pg_namespace.oid = pronamespace
        where nspname = current_schema() and pg_proc.oid <> all (before) and proowner = quote_ident(current_user)::regrole
    loop
        execute format('revoke execute on routine %s from public', made);
    end loop;
end $$;

select hide_functions();
