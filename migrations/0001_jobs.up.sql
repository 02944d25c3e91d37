-- Jobs as rows. The tables are private (singular); the views (plural) are the contract.
-- Every name is unqualified: the migrator sets search_path to the schema of the instance.

-- When a row was written last: its transaction. Brokers read what they have not seen by that, and not all there is.
create function stamp() returns trigger
language plpgsql set search_path from current
as 'begin new.changed := pg_current_xact_id(); return new; end';
revoke execute on function stamp() from public;

create table tube (
    id integer generated always as identity primary key,
    name text collate "C" not null unique check (name ~ '^[A-Za-z0-9+/;.$_()][-A-Za-z0-9+/;.$_()]{0,199}$'),
    -- The length of the current pause in seconds, and its end; both null when the tube is not paused.
    pause bigint check (pause between 1 and 4294967295),
    paused_until timestamptz check (isfinite(paused_until)),
    -- The broker (epoch) that is about to remove the row, since nobody needs it: no job is put here any more.
    remover bigint,
    changed xid8 not null default pg_current_xact_id()
);

create index tube_changed on tube (changed);
create trigger stamp before update on tube for each row execute function stamp();

-- The living brokers. A lease whose epoch has no row here is void, so a crash needs no clean-up (design, section 3).
create table broker (
    epoch bigint primary key,
    host text not null,
    pid integer not null,
    -- Names the process table that `pid` belongs to, so that a neighbour can see that a pid is gone.
    process_space text not null,
    started_at timestamptz not null default clock_timestamp(),
    -- When the last heartbeat was, for people: no two times of a clock that may be set tell how much has passed.
    heartbeat_at timestamptz not null default clock_timestamp(),
    -- Grows with each heartbeat. Who watches it, by a clock of his own, sees whether the broker lives.
    beats bigint not null default 0
) with (fillfactor = 50);

-- Asked with a fresh snapshot, since volatile: a statement that waited for a row sees the brokers of its start, and one
-- that registered meanwhile would look dead to it.
create function broker_lives(bigint) returns boolean
language sql volatile set search_path from current
as 'select exists (select from broker where epoch = $1)';

create sequence broker_epoch;
create sequence job_id;
create sequence job_bury_order;

-- No CHECK: it costs each statement that inserts or updates 20 to 30 us, a third of what an insert costs. A row that is
-- none of a job is set aside by whoever reads it.
create table job (
    id bigint not null,
    priority bigint not null,
    ttr bigint not null,
    delay bigint not null,
    created_at timestamptz not null,
    -- When the job became, or will become, ready.
    due_at timestamptz not null,
    -- The lease. These columns are in no index and no index predicate: taking, touching and ending a lease is HOT.
    -- A leased job keeps its state; "reserved" is derived: the epoch is alive and reserved_at is set.
    lease_epoch bigint,
    reserved_at timestamptz,
    reserved_until timestamptz,
    -- First buried, first kicked.
    bury_order bigint,
    tube_id integer not null,
    reserves integer not null default 0,
    timeouts integer not null default 0,
    releases integer not null default 0,
    buries integer not null default 0,
    kicks integer not null default 0,
    -- 0 ready, 1 delayed, 2 buried.
    state smallint not null,
    body bytea not null,
    constraint job_pkey primary key (id)
) with (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1
);

-- Bodies are stored as sent: compressing them costs more than a queue gains, and most bodies are short.
alter table job alter column body set storage external;

create index job_ready on job (tube_id, priority, id) where state = 0;
create index job_due on job (due_at) where state = 1;
create index job_delayed on job (tube_id, due_at, id) where state = 1;
create index job_buried on job (tube_id, bury_order) where state = 2;

-- One row a batch: that it exists says that the batch committed; its arrays say how it changed the counts of tubes.
-- Rows are inserted and later folded into tube_count, never updated: one hot row would grow thousands of dead
-- versions under a held snapshot (design, section 4).
create table ledger (
    epoch bigint not null,
    writer smallint not null,
    batch bigint not null,
    tube_ids integer[] not null default '{}',
    urgent integer[] not null default '{}',
    ready integer[] not null default '{}',
    delayed integer[] not null default '{}',
    buried integer[] not null default '{}',
    primary key (epoch, writer, batch)
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Jobs by tube and stored state, without what the ledger still holds. `ready` counts leased jobs too.
create table tube_count (
    tube_id integer primary key,
    urgent bigint not null,
    ready bigint not null,
    delayed bigint not null,
    buried bigint not null,
    changed xid8 not null default pg_current_xact_id(),
    -- Negative ones come and go: who deletes a job may be added up before who has put it. All can be added to others.
    check (greatest(abs(urgent), abs(ready), abs(delayed), abs(buried)) < 1000000000000000)
) with (fillfactor = 50);

create index tube_count_changed on tube_count (changed);
-- Tubes that may go.
create index tube_count_empty on tube_count (changed, tube_id) where ready = 0 and delayed = 0 and buried = 0;
create trigger stamp before update on tube_count for each row execute function stamp();

-- What each broker's clients hold right now, by the stored state of the jobs; published about once a second.
create table tube_held (
    epoch bigint not null,
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

create index tube_held_changed on tube_held (changed);
create trigger stamp before update on tube_held for each row execute function stamp();

create view brokers as
select
    epoch,
    host,
    pid,
    started_at,
    heartbeat_at,
    heartbeat_at > now() - interval '5 seconds' as alive
from broker;

create view jobs as
select
    job.id,
    tube.name as tube,
    case
        when held.epoch is not null then 'reserved'
        when job.state = 0 then 'ready'
        when job.state = 1 then 'delayed'
        else 'buried'
    end as state,
    job.priority,
    job.body,
    job.created_at,
    job.due_at as ready_at,
    case when held.epoch is not null then job.reserved_at end as reserved_at,
    case when held.epoch is not null then job.reserved_until end as reserved_until,
    make_interval(secs => job.ttr) as ttr,
    make_interval(secs => job.delay) as delay,
    job.reserves,
    job.timeouts,
    job.releases,
    job.buries,
    job.kicks,
    held.epoch as broker
from job
join tube on tube.id = job.tube_id
left join brokers as held on held.epoch = job.lease_epoch and held.alive and job.reserved_at is not null;

create view tubes as
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
        select change.*
        from ledger, unnest(ledger.tube_ids, ledger.ready, ledger.delayed, ledger.buried) as change
    ) as part (tube_id, ready, delayed, buried)
    group by tube_id
) as total on total.tube_id = tube.id
left join (
    select tube_id, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
    from tube_held
    join brokers using (epoch)
    where brokers.alive
    group by tube_id
) as held on held.tube_id = tube.id;

comment on view jobs is 'Every job, with the state that a client of the protocol would be told, at most 1 s late.';
comment on view tubes is 'Every tube with its jobs by state, at most 1 s late.';
comment on view brokers is 'The brokers that serve this schema; alive is false for one that has not been heard of for 5 s.';
