-- The views: the contract with whoever looks at the queue by SQL. They are right on a replica too.

-- MARK: Bodies

create function body_text(body bytea) returns text
language plpgsql immutable strict parallel safe set search_path from current
as $$
begin
    return convert_from(body, 'UTF8');
exception
    -- Besides bytes that are not text: characters that the encoding of the database does not have, or no conversion to it.
    when character_not_in_repertoire or untranslatable_character or program_limit_exceeded or undefined_function
        or feature_not_supported then return null;
end $$;

create function body_json(body bytea) returns jsonb
language plpgsql immutable strict parallel safe set search_path from current
as $$
begin
    return convert_from(body, 'UTF8')::jsonb;
exception
    when data_exception or program_limit_exceeded or undefined_function or feature_not_supported then return null;
end $$;

comment on function body_text(bytea) is 'The body as text; NULL when it is not UTF-8.';
comment on function body_json(bytea) is 'The body as jsonb; NULL when it is not JSON.';

-- MARK: Brokers

-- The moment whose state this server shows: a replica shows that of some moment in the past. The function is declared
-- stable although a part of it is volatile: otherwise each view that uses it would compute columns that nobody asked for.
create function seen_at() returns timestamptz
language sql stable parallel safe set search_path from current
as $$
    select case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(), now()) else now() end
$$;

create view brokers as
select
    epoch,
    host,
    pid,
    started_at,
    heartbeat_at,
    heartbeat_at > seen_at() - interval '5 seconds' as alive,
    is_sole as sole,
    max_job_size
from broker;

comment on view brokers is 'The brokers that serve this schema; alive is false for one that has not been heard of for 5 s.';
comment on column brokers.epoch is 'Numbers this life of the broker: it is never used again.';
comment on column brokers.host is 'The name of its machine.';
comment on column brokers.pid is 'Its process there.';
comment on column brokers.started_at is 'When it registered.';
comment on column brokers.heartbeat_at is 'When its last heartbeat was; there is one each second.';
comment on column brokers.alive is 'True if it was heard of in the last 5 s; on a replica, in the last 5 s that the replica knows of.';
comment on column brokers.sole is 'True if it is the only one; then it writes no leases.';
comment on column brokers.max_job_size is 'The largest body that it takes, in bytes.';

-- MARK: Jobs

create view jobs as
select
    job.id,
    tube.name as tube,
    case
        when held.epoch is not null or taken.job_id is not null then 'reserved'
        when job.state = 0 then 'ready'
        when job.state = 1 then 'delayed'
        else 'buried'
    end as state,
    job.priority,
    job.body,
    job.created_at,
    job.due_at as ready_at,
    case when held.epoch is not null or taken.job_id is not null then job.reserved_at end as reserved_at,
    case when held.epoch is not null or taken.job_id is not null then job.reserved_until end as reserved_until,
    make_interval(secs => job.ttr) as ttr,
    make_interval(secs => job.delay) as delay,
    job.reserves,
    job.timeouts,
    job.releases,
    job.buries,
    job.kicks,
    held.epoch as broker,
    taken.pid as sql_session,
    taken.holder as sql_holder,
    taken.login as sql_login
from job
join tube on tube.id = job.tube_id
left join brokers as held on held.epoch = job.lease_epoch and held.alive and job.reserved_at is not null
left join sql_lease as taken
    on taken.job_id = job.id and job.lease_epoch < 0 and taken.until > seen_at();

comment on view jobs is 'Every job, with the state that a client of the protocol would be told, at most 1 s late.';
comment on column jobs.id is 'The id that the put was told. Younger jobs have greater ids, nearly always.';
comment on column jobs.tube is 'The name of its tube.';
comment on column jobs.state is 'ready, delayed, buried, or reserved: a client has it.';
comment on column jobs.priority is '0 is the most urgent; 4294967295 is the least.';
comment on column jobs.body is 'The bytes that were put; body_text and body_json read them.';
comment on column jobs.created_at is 'When it was put.';
comment on column jobs.ready_at is 'When it became ready, or will: by a put, a kick, or the end of a delay.';
comment on column jobs.reserved_at is 'When the client that has it got it; NULL unless it is reserved.';
comment on column jobs.reserved_until is 'When the reservation ends unless the client touches it; NULL unless it is reserved.';
comment on column jobs.ttr is 'The time to run: how long a client of a broker may have it at a time.';
comment on column jobs.delay is 'The last delay that was asked for it.';
comment on column jobs.reserves is 'How often it was reserved.';
comment on column jobs.timeouts is 'How often its time to run ended while a client had it.';
comment on column jobs.releases is 'How often a client released it.';
comment on column jobs.buries is 'How often it was buried.';
comment on column jobs.kicks is 'How often it was kicked.';
comment on column jobs.broker is 'The epoch of the broker whose client has it: see brokers.';
comment on column jobs.sql_session is 'The pid of the SQL session that has it: see pg_stat_activity.';
comment on column jobs.sql_holder is 'The holder that the session has named, if any.';
comment on column jobs.sql_login is 'The login of that session.';

-- MARK: Tubes

create view tubes as
select
    tube.name,
    coalesce(counted.ready, 0) + coalesce(uncounted.ready, 0) - coalesce(held.ready, 0) as ready,
    coalesce(counted.delayed, 0) + coalesce(uncounted.delayed, 0) - coalesce(held.delayed, 0) as delayed,
    coalesce(held.ready + held.delayed + held.buried, 0) as reserved,
    coalesce(counted.buried, 0) + coalesce(uncounted.buried, 0) - coalesce(held.buried, 0) as buried,
    (
        select min(job.due_at) from job
        where job.tube_id = tube.id and job.state = 0
            and (job.lease_epoch is null or job.reserved_at is null
                or job.lease_epoch > 0
                    and not exists (select from brokers where brokers.epoch = job.lease_epoch and brokers.alive)
                or job.lease_epoch < 0
                    and not exists (select from sql_lease where sql_lease.job_id = job.id and until > seen_at()))
    ) as oldest_ready_at,
    case when tube.paused_until > now() then tube.paused_until end as paused_until
from tube
left join tube_count as counted on counted.tube_id = tube.id
left join (
    select tube_id, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
    from uncounted_change
    group by tube_id
) as uncounted on uncounted.tube_id = tube.id
left join (
    select tube_id, sum(ready)::bigint as ready, sum(delayed)::bigint as delayed, sum(buried)::bigint as buried
    from (
        select tube_id, ready, delayed, buried
        from tube_held
        join brokers using (epoch)
        where brokers.alive
        union all
        select tube_id, 1, 0, 0
        from sql_lease
        where until > seen_at()
    ) as part (tube_id, ready, delayed, buried)
    group by tube_id
) as held on held.tube_id = tube.id;

comment on view tubes is 'Every tube with its jobs by state, at most 1 s late.';
comment on column tubes.name is 'Its name, 1 to 200 bytes.';
comment on column tubes.ready is 'Jobs that may be reserved.';
comment on column tubes.delayed is 'Jobs that will be ready when their delay is over.';
comment on column tubes.reserved is 'Jobs that clients have.';
comment on column tubes.buried is 'Jobs that wait for a kick.';
comment on column tubes.oldest_ready_at is 'When the job became ready that has been ready for longest. This column alone costs something: it reads all ready jobs of the tube.';
comment on column tubes.paused_until is 'No job of it is given out before this time; NULL when it is not paused.';

create view tube_policies as
select
    tube.name as tube,
    policy.bury_after_timeouts,
    policy.bury_after_releases,
    policy.max_ready,
    policy.history,
    policy.history_body
from tube_policy as policy
join tube on tube.id = policy.tube_id;

comment on view tube_policies is 'The policies of tubes (set_policy); a tube without a row has none.';
comment on column tube_policies.tube is 'The name of the tube.';
comment on column tube_policies.bury_after_timeouts is
    'A job is buried instead of made ready when its time to run has ended this many times; null: never.';
comment on column tube_policies.bury_after_releases is
    'A job is buried, and the client told BURIED, when it has been released this many times; null: never.';
comment on column tube_policies.max_ready is
    'A put gets OUT_OF_MEMORY while the tube has this many ready jobs, or more; null: no limit.';
comment on column tube_policies.history is 'How long the tube''s jobs that have ended are kept; null: not at all.';
comment on column tube_policies.history_body is 'True if they are kept with their bodies.';

-- MARK: History

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
    'Jobs that have ended, in tubes whose policy keeps history (set_policy), for as long as it says. Partitioned by the day of finished_at (UTC): ask for the days that you mean.';
comment on column history.id is 'The id of the job.';
comment on column history.tube is 'The name of its tube when it ended.';
comment on column history.outcome is 'finished: deleted by the worker that had it reserved; deleted: by anybody, while no worker had it.';
comment on column history.state is 'Its state when it ended: reserved, ready, delayed or buried.';
comment on column history.priority is 'Its priority when it ended.';
comment on column history.created_at is 'When it was put.';
comment on column history.first_reserved_at is 'When a worker got it for the first time; null: none did.';
comment on column history.last_reserved_at is 'When a worker got it for the last time; null: none did.';
comment on column history.finished_at is 'When it ended.';
comment on column history.waited is 'From the put to the first reservation, with the delay of the put if it had one; null: never reserved.';
comment on column history.worked is 'From the last reservation to the end, of a finished job; null: not finished.';
comment on column history.ttr is 'The time to run: how long a worker might have it at a time.';
comment on column history.reserves is 'How often it was reserved: more than once means that it needed more than one try.';
comment on column history.timeouts is 'How often its time to run ended while a worker had it.';
comment on column history.releases is 'How often it was released.';
comment on column history.buries is 'How often it was buried.';
comment on column history.kicks is 'How often it was kicked.';
comment on column history.body is 'Its body, if the policy of its tube keeps bodies.';

select hide_functions();
