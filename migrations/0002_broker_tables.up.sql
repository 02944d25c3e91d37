-- What brokers write about themselves, about their batches, and for each other (docs/ARCHITECTURE.md, Leases and epochs;
-- The ledger; Several brokers). A function for SQL sessions reads these tables and writes none of them: a lock that lasts
-- until somebody's commit would stop a broker.

-- MARK: Epochs

create table broker (
    epoch bigint primary key check (epoch > 0),
    host text not null,
    pid integer not null,
    process_space text not null,
    started_at timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp() check (isfinite(heartbeat_at)),
    beats bigint not null default 0 check (beats >= 0),
    is_sole boolean not null default false,
    answered bigint not null default 0 check (answered >= 0),
    max_job_size bigint check (max_job_size >= 0)
) with (fillfactor = 50);

comment on table broker is 'The living brokers. A lease whose epoch has no row here is void, so a crash needs no pass over jobs.';
comment on column broker.epoch is
    'Numbers this life of the broker, and is never used again: microseconds since 1970 and three random digits. A sequence would do no good: it may go back with its server.';
comment on column broker.host is 'The name of its machine.';
comment on column broker.pid is 'Its process there.';
comment on column broker.process_space is 'Names the process table that the pid belongs to, so that a broker beside it can see that the process has ended.';
comment on column broker.started_at is 'When it registered.';
comment on column broker.heartbeat_at is 'When its last heartbeat was, for people: brokers do not compare times of a clock that may be set.';
comment on column broker.beats is 'Counts heartbeats. Other brokers see by it, and by their own clocks, that this one lives.';
comment on column broker.is_sole is
    'True for the only broker: every job without a written lease is its own, and a broker that starts waits until this has ended.';
comment on column broker.answered is 'The last number of recall_number that it has answered.';
comment on column broker.max_job_size is 'The largest body that it takes, in bytes.';

-- A row for each writer: two writers that lock the same row would make a multixact each time.
create table fence (
    epoch bigint not null check (epoch > 0),
    writer smallint not null check (writer >= 0),
    primary key (epoch, writer)
);

comment on table fence is
    'A row for each writer of a living broker. Each of its batches locks the row for key share, so that whoever declares the broker dead waits for them.';
comment on column fence.epoch is 'The broker.';
comment on column fence.writer is 'The number of its writer.';

-- MARK: Counts

-- Rows are inserted and later folded into tube_count, never updated: a row that each batch updates would leave thousands
-- of dead versions while a snapshot is held. There are no checks, which would cost each batch 10 to 30 us: brokers alone
-- write here.
create table ledger (
    epoch bigint not null,
    writer smallint not null,
    batch bigint not null,
    tube_ids integer[] not null default '{}',
    urgent integer[] not null default '{}',
    ready integer[] not null default '{}',
    delayed integer[] not null default '{}',
    buried integer[] not null default '{}',
    is_claim boolean not null default false,
    primary key (epoch, writer, batch)
) with (autovacuum_vacuum_scale_factor = 0.05, vacuum_truncate = false);

comment on table ledger is 'A row for each batch that has committed, with how it changes the numbers of jobs.';
comment on column ledger.epoch is 'The broker. Null when it has been declared dead, which the table refuses, and with it the batch.';
comment on column ledger.writer is 'The number of its writer.';
comment on column ledger.batch is 'The number of the batch.';
comment on column ledger.tube_ids is 'The tubes whose numbers change. Empty once tube_count has the changes.';
comment on column ledger.urgent is 'For each of these tubes, how many more jobs are ready with a priority below 1024.';
comment on column ledger.ready is 'How many more are ready.';
comment on column ledger.delayed is 'How many more are delayed.';
comment on column ledger.buried is 'How many more are buried.';
comment on column ledger.is_claim is 'True if this is not the batch, but the look-up that found it missing: the batch will never commit.';

create table tube_count (
    tube_id integer primary key,
    urgent bigint not null,
    ready bigint not null,
    delayed bigint not null,
    buried bigint not null,
    changed xid8 not null default pg_current_xact_id(),
    -- Negative numbers come and go: the delete of a job may be folded before its put. None is so large that a sum of
    -- them overflows.
    check (greatest(abs(urgent), abs(ready), abs(delayed), abs(buried)) < 1000000000000000)
) with (fillfactor = 50);

-- For brokers, which read what has changed.
create index tube_count_changed on tube_count (changed);
-- Tubes that may be removed, those that have been empty for longest first.
create index tube_count_empty on tube_count (changed, tube_id) where ready = 0 and delayed = 0 and buried = 0;
create trigger stamp before update on tube_count for each row execute function stamp();

comment on table tube_count is
    'The numbers of jobs of each tube, by the state in their rows, without what uncounted_change still holds. A job that a client has is counted by its state too.';
comment on column tube_count.tube_id is 'The tube.';
comment on column tube_count.urgent is 'Jobs that are ready with a priority below 1024.';
comment on column tube_count.ready is 'Jobs that are ready.';
comment on column tube_count.delayed is 'Jobs that are delayed.';
comment on column tube_count.buried is 'Jobs that are buried.';
comment on column tube_count.changed is 'The transaction that wrote the row last.';

create table tube_held (
    epoch bigint not null check (epoch > 0),
    tube_id integer not null,
    urgent bigint not null,
    ready bigint not null,
    delayed bigint not null,
    buried bigint not null,
    changed xid8 not null default pg_current_xact_id(),
    check (least(urgent, ready, delayed, buried) >= 0),
    check (greatest(urgent, ready, delayed, buried) < 1000000000000000),
    primary key (epoch, tube_id)
) with (fillfactor = 50);

-- For brokers, which read what has changed.
create index tube_held_changed on tube_held (changed);
create trigger stamp before update on tube_held for each row execute function stamp();

comment on table tube_held is 'How many jobs the clients of each broker have, published about once a second.';
comment on column tube_held.epoch is 'The broker.';
comment on column tube_held.tube_id is 'The tube.';
comment on column tube_held.urgent is 'Jobs whose rows say that they are ready, with a priority below 1024.';
comment on column tube_held.ready is 'Jobs whose rows say that they are ready.';
comment on column tube_held.delayed is 'Jobs whose rows say that they are delayed.';
comment on column tube_held.buried is 'Jobs whose rows say that they are buried.';
comment on column tube_held.changed is 'The transaction that wrote the row last.';

-- MARK: Notices

create table tube_awaited (
    tube text collate "C" not null,
    epoch bigint not null check (epoch > 0),
    primary key (tube, epoch)
);

comment on table tube_awaited is
    'The tubes that clients of each broker wait for: other brokers tell it of the jobs that they make ready there.';
comment on column tube_awaited.tube is 'The name of the tube, which need not have a row.';
comment on column tube_awaited.epoch is 'The broker whose clients wait.';

-- Anybody may NOTIFY, so a notification only says that a broker shall look here. Rows are only inserted and deleted, so
-- that no broker waits for another. A crash of the server empties the table, which costs a second: then brokers look into
-- their tubes by themselves.
create unlogged table notice (
    epoch bigint not null,
    number bigint generated always as identity,
    tube_id integer not null,
    priority bigint,
    job_id bigint,
    primary key (epoch, number)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

comment on table notice is 'What brokers tell each other: jobs that have become ready, and tubes that have changed.';
comment on column notice.epoch is 'The broker that is told.';
comment on column notice.number is 'Tells its notices apart.';
comment on column notice.tube_id is 'The tube.';
comment on column notice.priority is 'The priority of the first job that has become ready there; null when none has.';
comment on column notice.job_id is 'The id of that job.';
