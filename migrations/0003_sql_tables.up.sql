-- What SQL sessions that call functions leave for brokers (docs/ARCHITECTURE.md, SQL beside brokers).

-- Only the owner's functions can lock it. Brokers see by the locks whether a transaction that has called a function is
-- open (sql_is_quiet), and keep new calls waiting for a moment (hold_off_sql).
create table sql_gate ();
alter table sql_gate replica identity full;

comment on table sql_gate is 'Empty. Each call of a function locks it in row share mode to the end of the transaction.';

-- Sequences know no transactions: brokers look at them 20 times a second, and hear of a call while it lasts. The first
-- number of a sequence looks like none, so it is drawn here.
create sequence sql_change_number;
create sequence sql_reserve_number;
create sequence recall_number;
select nextval('sql_change_number'), nextval('sql_reserve_number'), nextval('recall_number');

comment on sequence sql_change_number is 'Numbers the rows of sql_change.';
comment on sequence sql_reserve_number is 'Grows when a SQL session reserves jobs: then no broker becomes the sole one.';
comment on sequence recall_number is
    'Grows when a SQL session needs jobs that brokers have leased: each broker gives back those that no client of it has, and writes the number into broker.answered.';

-- Rows are only inserted and deleted, and found by their numbers: no call waits for another. There are no checks: they
-- would cost each put, and brokers check what they read.
create table sql_change (
    number bigint primary key,
    tube_id integer not null,
    priority bigint,
    job_id bigint,
    urgent integer not null default 0,
    ready integer not null default 0,
    delayed integer not null default 0,
    buried integer not null default 0
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

comment on table sql_change is
    'What a call has done to a tube, until a broker folds it into tube_count and learns from it which jobs are new.';
comment on column sql_change.number is 'Drawn from sql_change_number.';
comment on column sql_change.tube_id is 'The tube.';
comment on column sql_change.priority is 'The priority of the first job that has become ready; null when none has.';
comment on column sql_change.job_id is 'The id of that job.';
comment on column sql_change.urgent is 'How many more jobs are ready with a priority below 1024.';
comment on column sql_change.ready is 'How many more are ready.';
comment on column sql_change.delayed is 'How many more are delayed.';
comment on column sql_change.buried is 'How many more are buried.';

-- A session is known by what it cannot choose: its process in this life of the server.
create table sql_lease (
    job_id bigint primary key,
    tube_id integer not null,
    priority bigint not null,
    login name not null,
    holder bigint check (holder between 1 and 4611686018427387903),
    pid integer not null,
    server_start timestamptz not null,
    until timestamptz not null check (isfinite(until))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Leases whose time is over.
create index sql_lease_until on sql_lease (until);

comment on table sql_lease is
    'The jobs that SQL sessions have reserved. In the row of the job lease_epoch is -1; that lease ends when this row is deleted.';
comment on column sql_lease.job_id is 'The job.';
comment on column sql_lease.tube_id is 'Its tube.';
comment on column sql_lease.priority is 'Its priority.';
comment on column sql_lease.login is 'The login that reserved it, whatever role its session has taken on since.';
comment on column sql_lease.holder is 'The holder that the session named; null when the session itself is the holder.';
comment on column sql_lease.pid is 'The process of the session.';
comment on column sql_lease.server_start is 'When the server started that this process belongs to.';
comment on column sql_lease.until is 'When the lease ends unless it is touched.';
