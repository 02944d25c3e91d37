-- What viewers of the admin listener do: long actions with their progress, and the audit of all actions.

-- An action on all jobs that match a filter. It runs in batches of a broker; each batch is one transaction with the
-- progress here, so that what is written is what was done.
create table operation (
    id bigint generated always as identity primary key,
    action text not null check (action in ('kick', 'delete', 'bury', 'move', 'priority', 'delay')),
    request jsonb not null,
    state text not null default 'running' check (state in ('running', 'stopped', 'done', 'failed')),
    runner bigint not null check (runner >= 0),
    changed bigint not null default 0 check (changed >= 0),
    skipped bigint not null default 0 check (skipped >= 0),
    reached_id bigint not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    started_by text not null,
    updated_at timestamptz not null default clock_timestamp(),
    error text
);

comment on table operation is
    'Actions of the admin listener on all jobs that match a filter, with their progress. Kept for 90 days.';
comment on column operation.id is 'The number of the operation.';
comment on column operation.action is 'What is done to the jobs.';
comment on column operation.request is 'What was asked for, with the filter, as the API has it.';
comment on column operation.state is 'running, stopped, done or failed. It is stopped too if its runner has no row in broker.';
comment on column operation.runner is 'The epoch of the broker that runs it.';
comment on column operation.changed is 'How many jobs were changed.';
comment on column operation.skipped is 'How many jobs matched and were left as they were.';
comment on column operation.reached_id is 'The id up to which it has come; it goes on behind it.';
comment on column operation.started_at is 'When it was asked for.';
comment on column operation.started_by is 'Who asked for it.';
comment on column operation.updated_at is 'When its row was written last.';
comment on column operation.error is 'Why it failed.';

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    viewer text not null,
    action text not null,
    object text not null,
    arguments text,
    changed bigint,
    error text
);

-- The actions on one job, for its page.
create index audit_object on audit (object, id);

comment on table audit is 'What was done through the admin listener, a row for each request. Kept for 90 days.';
comment on column audit.id is 'The number of the action.';
comment on column audit.at is 'When it was done.';
comment on column audit.viewer is 'Who: the name of the viewer, or the address.';
comment on column audit.action is 'What was done.';
comment on column audit.object is 'To what: a tube, a job, jobs or an operation.';
comment on column audit.arguments is 'The arguments, as JSON.';
comment on column audit.changed is 'How many jobs were changed; null where that says nothing.';
comment on column audit.error is 'Why it was refused; null if it was done.';
