-- Tubes, jobs, policies and history: what lasts, whether a broker runs or not.
--
-- Tables are private and have names in the singular; the views, in the plural, are the contract (0011_views). No name is
-- qualified: the migrator sets search_path to the schema of the queue, and functions keep it (set search_path from
-- current).

-- The functions that a migration makes are nobody's: a role that shall call one gets the right (beanrow migrate roles).
-- Each migration that makes functions ends with a call of this one. Functions that were in the schema before may be
-- somebody else's: the migrator has noted which those are, and they stay as they are.
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

-- Keeps the column `changed` of a table: brokers read the rows that have changed since they last looked, and not all
-- that there are (docs/ARCHITECTURE.md, Many tubes).
create function stamp() returns trigger
language plpgsql set search_path from current
as 'begin new.changed := pg_current_xact_id(); return new; end';

-- Tubes and keys are named alike.
create function is_name(name text) returns boolean
language sql immutable set search_path from current
as $$ select name ~ '^[A-Za-z0-9+/;.$_()][-A-Za-z0-9+/;.$_()]{0,199}$' $$;

-- MARK: Tubes

create table tube (
    id integer generated always as identity primary key,
    -- As is_name: a check would call that with the rights of whoever inserts.
    name text collate "C" not null unique check (name ~ '^[A-Za-z0-9+/;.$_()][-A-Za-z0-9+/;.$_()]{0,199}$'),
    pause bigint check (pause between 1 and 4294967295),
    paused_until timestamptz check (isfinite(paused_until)),
    remover bigint check (remover > 0),
    changed xid8 not null default pg_current_xact_id()
);

-- For brokers, which read what has changed.
create index tube_changed on tube (changed);
create trigger stamp before update on tube for each row execute function stamp();

comment on table tube is 'Tubes that have jobs, a policy or a pause, or that somebody uses. Brokers remove the others.';
comment on column tube.id is 'Stands for the name in all other tables.';
comment on column tube.name is 'The name, 1 to 200 bytes.';
comment on column tube.pause is 'The length of the last pause in seconds; null when it was ended.';
comment on column tube.paused_until is 'The end of the last pause; null when it was ended.';
comment on column tube.remover is 'The epoch of the broker that is about to remove the row, since nobody needs it. No job is put here meanwhile.';
comment on column tube.changed is 'The transaction that wrote the row last.';

-- MARK: Jobs

create sequence job_id;
create sequence job_bury_order;

comment on sequence job_id is 'Ids of jobs. A broker takes them in blocks.';
comment on sequence job_bury_order is 'Numbers the burials, so that a kick makes ready first what was buried first.';

-- There are no checks: one check of all columns costs each insert and update 20 to 40 us, a quarter of what an insert
-- takes. A row that cannot be a job is set aside by the broker that reads it, and named in its log.
create table job (
    id bigint not null,
    priority bigint not null,
    ttr bigint not null,
    delay bigint not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    -- The lease. No index has these columns, nor the predicate of one, so that taking, touching and ending a lease is a
    -- HOT update.
    lease_epoch bigint,
    reserved_at timestamptz,
    reserved_until timestamptz,
    first_reserved_at timestamptz,
    last_reserved_at timestamptz,
    bury_order bigint,
    tube_id integer not null,
    reserves integer not null default 0,
    timeouts integer not null default 0,
    releases integer not null default 0,
    buries integer not null default 0,
    kicks integer not null default 0,
    state smallint not null,
    body bytea not null,
    key text collate "C",
    constraint job_pkey primary key (id)
) with (
    -- Room in each page for HOT updates.
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1,
    -- The table is emptied and filled all the time. To give the end of its file back, vacuum would lock it against
    -- everybody, and each standby against its readers. By hand: vacuum (truncate) job.
    vacuum_truncate = false,
    toast.vacuum_truncate = false
);

-- Bodies are stored as sent: compressing them costs more than a queue gains, and most bodies are short.
alter table job alter column body set storage external;

-- A reserve takes the smallest priority and id of a tube.
create index job_ready on job (tube_id, priority, id) where state = 0;
-- Brokers make ready what is due, whatever its tube.
create index job_due on job (due_at) where state = 1;
-- A kick without buried jobs takes the delayed ones of a tube, soonest first; peek-delayed shows the first.
create index job_delayed on job (tube_id, due_at, id) where state = 1;
-- A kick takes the buried jobs of a tube in the order of their burial; peek-buried shows the first.
create index job_buried on job (tube_id, bury_order) where state = 2;
-- A tube has one job with a key at most: a second put gets the id of the first.
create unique index job_key on job (tube_id, key) where key is not null;

comment on table job is 'A row for each job.';
comment on column job.id is 'The id that the put was told.';
comment on column job.priority is '0 is the most urgent; 4294967295 is the least.';
comment on column job.ttr is 'The time to run in seconds, 1 to 4294967295.';
comment on column job.delay is 'The last delay that was asked for, in seconds, 0 to 4294967295.';
comment on column job.created_at is 'When the job was put.';
comment on column job.due_at is 'When the job became ready, or will.';
comment on column job.lease_epoch is
    'The broker that alone may give the job out, by its epoch; -1 for a SQL session (sql_lease). It counts only while that broker has a row in broker.';
comment on column job.reserved_at is 'When the client that has the job got it; null when no client has it.';
comment on column job.reserved_until is 'When the time to run of that client ends; null when no client has the job.';
comment on column job.first_reserved_at is 'When a client got the job for the first time. Written with the end of a reservation.';
comment on column job.last_reserved_at is 'When a client got the job for the last time. Written with the end of a reservation.';
comment on column job.bury_order is 'The place of a buried job in its tube: smaller numbers are kicked first.';
comment on column job.tube_id is 'The tube.';
comment on column job.reserves is 'How often the job was reserved.';
comment on column job.timeouts is 'How often its time to run ended while a client had it.';
comment on column job.releases is 'How often a client released it.';
comment on column job.buries is 'How often it was buried.';
comment on column job.kicks is 'How often it was kicked.';
comment on column job.state is
    '0 ready, 1 delayed, 2 buried. A job that a client has keeps its state: it is reserved when the lease is that of a living broker and reserved_at is set.';
comment on column job.body is 'The bytes that were put.';
comment on column job.key is 'The key that it was put with, if any; no other job of the tube has the same.';

-- MARK: Policies

create table tube_policy (
    tube_id integer primary key references tube on delete cascade,
    bury_after_timeouts integer check (bury_after_timeouts >= 1),
    bury_after_releases integer check (bury_after_releases >= 1),
    max_ready bigint check (max_ready >= 1),
    history interval check (history > interval '0' and history <= interval '100 years'),
    history_body boolean not null default false
);

comment on table tube_policy is 'The policies of tubes: a row where set_policy has set one. Null leaves a setting off.';
comment on column tube_policy.tube_id is 'The tube.';
comment on column tube_policy.bury_after_timeouts is 'A job is buried when its time to run has ended this many times.';
comment on column tube_policy.bury_after_releases is 'A job is buried when it has been released this many times.';
comment on column tube_policy.max_ready is 'A put is refused while the tube has this many ready jobs, or more.';
comment on column tube_policy.history is 'How long jobs that have ended are kept in job_history.';
comment on column tube_policy.history_body is 'True if they are kept with their bodies.';

-- One row, since a sequence would not do: it grows before its transaction commits, and a broker that reads it then would
-- miss the change for ever.
create table policy_version (
    version bigint not null check (version >= 0),
    is_only boolean primary key default true check (is_only)
) with (fillfactor = 50);

comment on table policy_version is 'Tells brokers that policies have changed, so that they need not read all of them.';
comment on column policy_version.version is 'Grows with each change of tube_policy.';
comment on column policy_version.is_only is 'Always true: there is one row.';

insert into policy_version (version) values (0);

create function policy_changed() returns trigger
language plpgsql security definer set search_path from current
as $$
begin
    update policy_version set version = version + 1 where is_only;
    return null;
end
$$;

create trigger policy_changed after insert or update or delete or truncate on tube_policy
for each statement execute function policy_changed();
-- Whatever session_replication_role says: without it no broker would learn of the change.
alter table tube_policy enable always trigger policy_changed;

-- MARK: History

-- There are no checks: the delete of a job must not fail because of what is wrong in its row.
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
    state smallint not null,
    body bytea
) partition by range (finished_at);

alter table job_history alter column body set storage external;

comment on table job_history is
    'Jobs that have ended, in tubes whose policy keeps history. The transaction that deletes the job writes the row. keep_history makes a partition for each day.';
comment on column job_history.id is 'The id of the job.';
comment on column job_history.created_at is 'When it was put.';
comment on column job_history.first_reserved_at is 'When a client got it for the first time; null when none did.';
comment on column job_history.last_reserved_at is 'When a client got it for the last time; null when none did.';
comment on column job_history.finished_at is 'When it ended.';
comment on column job_history.priority is 'Its priority when it ended.';
comment on column job_history.ttr is 'Its time to run in seconds.';
comment on column job_history.tube_id is 'Its tube when it ended.';
comment on column job_history.reserves is 'How often it was reserved.';
comment on column job_history.timeouts is 'How often its time to run ended while a client had it.';
comment on column job_history.releases is 'How often a client released it.';
comment on column job_history.buries is 'How often it was buried.';
comment on column job_history.kicks is 'How often it was kicked.';
comment on column job_history.state is
    'Its state when it ended: 0 ready, 1 delayed, 2 buried, 3 reserved by the client that deleted it.';
comment on column job_history.body is 'Its body, if the policy keeps bodies.';

-- Takes the rows whose day has no partition, so that no delete fails because of history.
create table job_history_default (like job_history including all);
alter table job_history attach partition job_history_default default;

comment on table job_history_default is 'Jobs that ended on a day without a partition. keep_history moves them to it.';

-- History has no key. Without the identity of a row, a publication would refuse the deletes of keep_history. Each
-- partition needs its own.
alter table job_history replica identity full;
alter table job_history_default replica identity full;

-- MARK: Imports

create table import (
    id integer generated always as identity primary key,
    folder text not null,
    jobs bigint not null check (jobs >= 0),
    imported_at timestamptz not null default clock_timestamp(),
    remarks text not null
);

comment on table import is 'The folders of beanstalkd whose jobs were imported.';
comment on column import.id is 'The number of the import.';
comment on column import.folder is 'The absolute path of the folder, without symbolic links.';
comment on column import.jobs is 'How many jobs were imported.';
comment on column import.imported_at is 'When that was.';
comment on column import.remarks is 'What could not be read, a line for each place; empty when all could.';

create table import_file (
    import_id integer not null references import (id) on delete cascade,
    number bigint not null,
    signature bigint not null primary key
);

comment on table import_file is 'The files of each import, so that no job is imported a second time.';
comment on column import_file.import_id is 'The import.';
comment on column import_file.number is 'The number in the name of the file.';
comment on column import_file.signature is 'A hash of the first record, by which the file is known again under any name.';

select hide_functions();
