-- When clients got the job. A reservation is told to its row with the next write: a job that is finished at once has none.
alter table job
    add column first_reserved_at timestamptz,
    add column last_reserved_at timestamptz;

-- Jobs that have ended, in tubes whose policy keeps history. Written by the transaction that deletes the job.
create table job_history (
    id bigint not null,
    created_at timestamptz not null,
    first_reserved_at timestamptz,
    last_reserved_at timestamptz,
    finished_at timestamptz not null,
    priority bigint not null,
    ttr bigint not null,
    tube_id integer not null,
    reserves integer not null,
    timeouts integer not null,
    releases integer not null,
    buries integer not null,
    kicks integer not null,
    -- Of the job when it ended: 0 ready, 1 delayed, 2 buried, 3 reserved by the worker that deleted it.
    state smallint not null,
    body bytea
) partition by range (finished_at);

alter table job_history alter column body set storage external;

-- Takes what has no day of its own, so that no delete fails because of history.
create table job_history_default partition of job_history default;

-- There is no key: a publication of updates and deletes asks for whole rows instead, of each partition by itself.
alter table job_history replica identity full;
alter table job_history_default replica identity full;

-- A job that ends, as it is to be recorded; none when its tube keeps no history. `finished`: by its worker.
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

-- Makes the partitions of this day (UTC) and the next three, and drops those that no tube keeps any more. Whatever it
-- cannot have at once it leaves for the next time: making a day locks the default partition, and dropping one locks all
-- of history, for a moment that must not come behind somebody's long query. Bounds are written out: how a time is printed
-- is the session's to say. A day is kept where the default partition is, whatever the session's default is.
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
        -- One at a time, and by a lock that not everybody may take.
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
                -- It is long overdue, and its rows are on their way to the default partition, which would refuse them.
                lock table job_history in share row exclusive mode;
            end if;
            lock table job_history_default in access exclusive mode;
            select count(*) into caught from (
                select from job_history_default
                where finished_at >= day_start::timestamptz and finished_at < day_end::timestamptz
                limit 10001
            ) as found;
            -- So many take too long to move: that day stays where it is.
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

select hide_functions();

comment on function keep_history() is
    'Makes the partitions of history for the next days and drops those that are over; brokers call it about once a minute.';

do $$ begin perform keep_history(); end $$;

create view history as
select
    ended.id,
    tube.name as tube,
    case when ended.state = 3 then 'finished' else 'deleted' end as outcome,
    case ended.state when 0 then 'ready' when 1 then 'delayed' when 2 then 'buried' else 'reserved' end as state,
    ended.priority,
    ended.created_at,
    ended.first_reserved_at,
    ended.last_reserved_at,
    ended.finished_at,
    ended.first_reserved_at - ended.created_at as waited,
    case when ended.state = 3 then ended.finished_at - ended.last_reserved_at end as worked,
    make_interval(secs => ended.ttr) as ttr,
    ended.reserves,
    ended.timeouts,
    ended.releases,
    ended.buries,
    ended.kicks,
    ended.body
from job_history as ended
join tube on tube.id = ended.tube_id
join tube_policy as policy on policy.tube_id = ended.tube_id and ended.finished_at > now() - policy.history;

comment on view history is
    'Jobs that have ended, in tubes whose policy keeps history (set_policy), for as long as it says. Partitioned by the day of finished_at (UTC): say which days you mean.';
comment on column history.id is 'The number of the job.';
comment on column history.tube is 'The name of its tube when it ended.';
comment on column history.outcome is 'finished: deleted by the worker that had it reserved; deleted: by anybody, while it was in nobody''s hands.';
comment on column history.state is 'In what state it was then: reserved, ready, delayed or buried.';
comment on column history.priority is 'Its priority when it ended.';
comment on column history.created_at is 'When it was put.';
comment on column history.first_reserved_at is 'When a worker got it for the first time; null: none did.';
comment on column history.last_reserved_at is 'When a worker got it for the last time; null: none did.';
comment on column history.finished_at is 'When it ended.';
comment on column history.waited is 'From the put to the first reservation, with the delay of the put if it had one; null: never reserved.';
comment on column history.worked is 'From the last reservation to the end, of a finished job; null: not finished.';
comment on column history.ttr is 'The time that a worker had for it at a time.';
comment on column history.reserves is 'How often it was reserved: more than once means that it needed more than one try.';
comment on column history.timeouts is 'How often its time to run was over.';
comment on column history.releases is 'How often it was released.';
comment on column history.buries is 'How often it was buried.';
comment on column history.kicks is 'How often it was kicked.';
comment on column history.body is 'Its body, if the policy of its tube keeps bodies.';
