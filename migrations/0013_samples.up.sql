-- What was done in each tube over time, for charts: the same at every broker, and after a restart.

-- MARK: Samples

-- There is no reference to `tube`: what was done in a tube stays after it is gone, and the next tube of the name goes on
-- from there. Rows of several brokers add up. The row with an empty name is the sum of all tubes.
create table tube_sample (
    at timestamptz not null,
    tube text collate "C" not null,
    puts bigint not null default 0,
    reserves bigint not null default 0,
    deletes bigint not null default 0,
    releases bigint not null default 0,
    buries bigint not null default 0,
    kicks bigint not null default 0,
    timeouts bigint not null default 0,
    body_bytes bigint not null default 0,
    urgent bigint,
    ready bigint,
    reserved bigint,
    delayed bigint,
    buried bigint,
    oldest_ready_at timestamptz,
    waited integer[],
    worked integer[],
    primary key (at, tube)
) partition by range (at);

-- The last row of a tube that has its numbers of jobs.
create index tube_sample_level on tube_sample (tube, at) where ready is not null;

comment on table tube_sample is
    'What was done in each tube in steps of 10 s, for 7 days. A tube in which nothing happened has no row. keep_samples makes a partition for each day.';
comment on column tube_sample.at is 'The beginning of the 10 s.';
comment on column tube_sample.tube is 'The name of the tube; empty for the whole queue.';
comment on column tube_sample.puts is 'How many jobs were put.';
comment on column tube_sample.reserves is 'How many reservations began.';
comment on column tube_sample.deletes is 'How many jobs ended.';
comment on column tube_sample.releases is 'How many jobs were released.';
comment on column tube_sample.buries is 'How many were buried.';
comment on column tube_sample.kicks is 'How many were kicked.';
comment on column tube_sample.timeouts is 'How many reservations ran out of time.';
comment on column tube_sample.body_bytes is 'The bytes of the bodies that clients have put.';
comment on column tube_sample.urgent is 'How many jobs were ready at the end with a priority below 1024; null in all of these five columns: as in the row of the tube before.';
comment on column tube_sample.ready is 'How many were ready at the end.';
comment on column tube_sample.reserved is 'How many were reserved at the end.';
comment on column tube_sample.delayed is 'How many were delayed at the end.';
comment on column tube_sample.buried is 'How many were buried at the end.';
comment on column tube_sample.oldest_ready_at is 'When the job had become ready that was ready for the longest time at the end; null if none was, or if it is not known.';
comment on column tube_sample.waited is 'How many jobs had waited for their first reservation, by length: bucket by bucket (docs/operations.md, Samples).';
comment on column tube_sample.worked is 'How many jobs were worked on until they were deleted, by length: bucket by bucket.';

create table tube_sample_5min (
    like tube_sample including defaults including comments,
    primary key (at, tube)
) partition by range (at);

create index tube_sample_5min_level on tube_sample_5min (tube, at) where ready is not null;

comment on table tube_sample_5min is
    'The sums of tube_sample in steps of 5 minutes, for 90 days. keep_samples makes a partition for each month.';
comment on column tube_sample_5min.at is 'The beginning of the 5 minutes.';

-- Take the rows whose time has no partition, so that no clock makes a sample fail.
create table tube_sample_default (like tube_sample including all);
alter table tube_sample attach partition tube_sample_default default;
comment on table tube_sample_default is 'Samples of a day without a partition. keep_samples moves them to it.';

create table tube_sample_5min_default (like tube_sample_5min including all);
alter table tube_sample_5min attach partition tube_sample_5min_default default;
comment on table tube_sample_5min_default is 'Samples of a month without a partition. keep_samples moves them to it.';

-- MARK: Levels

create table tube_level (
    tube text collate "C" primary key,
    urgent bigint not null,
    ready bigint not null,
    reserved bigint not null,
    delayed bigint not null,
    buried bigint not null,
    oldest_ready_at timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

comment on table tube_level is
    'The numbers of jobs that samples have last told of each tube that has jobs, and of the whole queue. One broker writes them for all.';
comment on column tube_level.tube is 'The name of the tube; empty for the whole queue.';
comment on column tube_level.urgent is 'How many jobs are ready with a priority below 1024.';
comment on column tube_level.ready is 'How many are ready.';
comment on column tube_level.reserved is 'How many are reserved.';
comment on column tube_level.delayed is 'How many are delayed.';
comment on column tube_level.buried is 'How many are buried.';
comment on column tube_level.oldest_ready_at is
    'When the job became ready that has been ready for the longest time; null if none is, or if it is not known.';

-- MARK: Views

create view samples as
select
    at, tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready, reserved, delayed,
    buried, oldest_ready_at, waited, worked
from tube_sample;

comment on view samples is
    'What was done in each tube in steps of 10 s, for 7 days; no row where nothing happened. Partitioned by the day: ask for the times that you mean.';
comment on column samples.at is 'The beginning of the step.';
comment on column samples.tube is 'The name of the tube; empty for the whole queue.';
comment on column samples.puts is 'How many jobs were put.';
comment on column samples.reserves is 'How many reservations began.';
comment on column samples.deletes is 'How many jobs ended.';
comment on column samples.releases is 'How many jobs were released.';
comment on column samples.buries is 'How many were buried.';
comment on column samples.kicks is 'How many were kicked.';
comment on column samples.timeouts is 'How many reservations ran out of time.';
comment on column samples.body_bytes is 'The bytes of the bodies that clients have put.';
comment on column samples.urgent is 'How many jobs were ready at the end of the step with a priority below 1024; null in all of these five columns: as in the row of the tube before.';
comment on column samples.ready is 'How many were ready at the end.';
comment on column samples.reserved is 'How many were reserved at the end.';
comment on column samples.delayed is 'How many were delayed at the end.';
comment on column samples.buried is 'How many were buried at the end.';
comment on column samples.oldest_ready_at is 'When the job had become ready that was ready for the longest time at the end; null if none was, or if it is not known.';
comment on column samples.waited is 'How many jobs had waited for their first reservation, by length: bucket by bucket (docs/operations.md, Samples).';
comment on column samples.worked is 'How many jobs were worked on until they were deleted, by length: bucket by bucket.';

create view samples_5min as
select
    at, tube, puts, reserves, deletes, releases, buries, kicks, timeouts, body_bytes, urgent, ready, reserved, delayed,
    buried, oldest_ready_at, waited, worked
from tube_sample_5min;

comment on view samples_5min is
    'The same in steps of 5 minutes, for 90 days. Partitioned by the month.';
comment on column samples_5min.at is 'The beginning of the step.';
comment on column samples_5min.tube is 'The name of the tube; empty for the whole queue.';
comment on column samples_5min.puts is 'How many jobs were put.';
comment on column samples_5min.reserves is 'How many reservations began.';
comment on column samples_5min.deletes is 'How many jobs ended.';
comment on column samples_5min.releases is 'How many jobs were released.';
comment on column samples_5min.buries is 'How many were buried.';
comment on column samples_5min.kicks is 'How many were kicked.';
comment on column samples_5min.timeouts is 'How many reservations ran out of time.';
comment on column samples_5min.body_bytes is 'The bytes of the bodies that clients have put.';
comment on column samples_5min.urgent is 'How many jobs were ready at the end of the step with a priority below 1024; null in all of these five columns: as in the row of the tube before.';
comment on column samples_5min.ready is 'How many were ready at the end.';
comment on column samples_5min.reserved is 'How many were reserved at the end.';
comment on column samples_5min.delayed is 'How many were delayed at the end.';
comment on column samples_5min.buried is 'How many were buried at the end.';
comment on column samples_5min.oldest_ready_at is 'When the job had become ready that was ready for the longest time at the end; null if none was, or if it is not known.';
comment on column samples_5min.waited is 'How many jobs had waited for their first reservation, by length: bucket by bucket (docs/operations.md, Samples).';
comment on column samples_5min.worked is 'How many jobs were worked on until they were deleted, by length: bucket by bucket.';

-- MARK: Partitions

-- Makes the partition that this time needs, and the next one, unless they are there. As keep_history it waits for no lock
-- for long, and leaves for the next time what it cannot lock at once. `step` is day or month.
create function make_sample_partitions(parent text, step text) returns void
language plpgsql security definer set search_path from current set lock_timeout = '100ms'
    set default_tablespace to '' set default_table_access_method to heap
as $$
declare
    fallback constant text := parent || '_default';
    place constant text := coalesce((
        select format(' tablespace %I', spcname) from pg_class
        join pg_tablespace on pg_tablespace.oid = reltablespace
        where pg_class.oid = to_regclass(quote_ident(fallback))), '');
    first constant date := date_trunc(step, now() at time zone 'UTC')::date;
    begins date;
    starts_at text;
    ends_at text;
    caught bigint;
    partition_name text;
begin
    foreach begins in array array[first, (first + ('1 ' || step)::interval)::date] loop
        partition_name := parent || '_' || to_char(begins, case step when 'day' then 'YYYYMMDD' else 'YYYYMM' end);
        continue when to_regclass(quote_ident(partition_name)) is not null;
        starts_at := to_char(begins, 'YYYY-MM-DD 00:00:00+00');
        ends_at := to_char(begins + ('1 ' || step)::interval, 'YYYY-MM-DD 00:00:00+00');
        begin
            execute format('lock table %I in access exclusive mode', fallback);
            execute format('select count(*) from (select from %I where at >= %L and at < %L limit 100001) as found',
                fallback, starts_at, ends_at) into caught;
            -- More rows would take too long to move: they stay where they are until they are too old.
            continue when caught > 100000;
            execute format('create table %I (like %I including all)%s', partition_name, parent, place);
            execute format(
                'with caught as (delete from %I where at >= %L and at < %L returning *)
                insert into %I select * from caught', fallback, starts_at, ends_at, partition_name);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                parent, partition_name, starts_at, ends_at);
        exception when lock_not_available then
            return;
        end;
    end loop;
end
$$;

-- Drops the partitions that end before this time.
create function drop_sample_partitions(parent text, step text, before timestamptz) returns void
language plpgsql security definer set search_path from current set lock_timeout = '100ms'
as $$
declare
    pattern constant text := case step when 'day' then 'YYYYMMDD' else 'YYYYMM' end;
    partition_name text;
begin
    for partition_name in
        select relname
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        where inhparent = to_regclass(quote_ident(parent))
            and relname ~ format('^%s_[0-9]{%s}$', parent, length(pattern))
            and to_date(right(relname, length(pattern)), pattern) + ('1 ' || step)::interval <= before at time zone 'UTC'
        order by relname
        limit 10
    loop
        begin
            execute format('drop table %I', partition_name);
        exception when lock_not_available then
            return;
        end;
    end loop;
    begin
        execute format(
            'delete from %1$I where ctid = any (array(select ctid from %1$I where at < %2$L limit 10000))',
            parent || '_default', before);
    exception when lock_not_available then
        return;
    end;
end
$$;

create function keep_samples() returns void
language plpgsql security definer set search_path from current
as $$
begin
    begin
        -- One call at a time, by a lock that not everybody may take.
        lock table only tube_sample in share update exclusive mode nowait;
    exception when lock_not_available then
        return;
    end;
    perform make_sample_partitions('tube_sample', 'day');
    perform make_sample_partitions('tube_sample_5min', 'month');
    perform drop_sample_partitions('tube_sample', 'day', now() - interval '7 days');
    perform drop_sample_partitions('tube_sample_5min', 'month', now() - interval '90 days');
end
$$;

comment on function keep_samples() is
    'Makes the partitions of samples that the next days need, and drops those that are too old. Brokers call it about once a minute.';

do $$ begin perform keep_samples(); end $$;

select hide_functions();
