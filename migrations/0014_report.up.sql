-- The views, with what SQL sessions do, right on a replica too, and a comment on every column.

create function body_text(body bytea) returns text
language plpgsql immutable strict parallel safe set search_path from current
as $$
begin
    return convert_from(body, 'UTF8');
exception
    -- Beside bytes that are no text: what the encoding of the database has no sign for, or no conversion to.
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

-- A replica shows what the primary has written by some moment in the past; times are compared with that moment. Called
-- stable, which its parts are not: a view with something volatile in it computes columns that nobody has asked for.
create function seen_at() returns timestamptz
language sql stable parallel safe set search_path from current
as $$
    select case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(), now()) else now() end
$$;

create or replace view brokers as
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

create or replace view jobs as
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

create or replace view tubes as
select
    tube.name,
    coalesce(counted.ready, 0) + coalesce(news.ready, 0) - coalesce(held.ready, 0) as ready,
    coalesce(counted.delayed, 0) + coalesce(news.delayed, 0) - coalesce(held.delayed, 0) as delayed,
    coalesce(held.ready + held.delayed + held.buried, 0) as reserved,
    coalesce(counted.buried, 0) + coalesce(news.buried, 0) - coalesce(held.buried, 0) as buried,
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
    from (
        select tube_id, ready, delayed, buried from sql_change
        union all
        select change.*
        from ledger, unnest(ledger.tube_ids, ledger.ready, ledger.delayed, ledger.buried) as change
    ) as part (tube_id, ready, delayed, buried)
    group by tube_id
) as news on news.tube_id = tube.id
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

comment on column jobs.id is 'The number that the put was told. Greater is younger, nearly always.';
comment on column jobs.tube is 'The name of its tube.';
comment on column jobs.state is 'ready, delayed, buried, or reserved: in the hands of a client.';
comment on column jobs.priority is '0 is the most urgent; 4294967295 is the least.';
comment on column jobs.body is 'What was put, byte by byte; body_text and body_json read it.';
comment on column jobs.created_at is 'When it was put.';
comment on column jobs.ready_at is 'When it became ready, or will: a put, a kick, or the end of a delay.';
comment on column jobs.reserved_at is 'Since when a client has had it; NULL unless it is reserved.';
comment on column jobs.reserved_until is 'When that ends, unless the client touches it; NULL unless it is reserved.';
comment on column jobs.ttr is 'How long a client of a broker may have it at a time: the time to run.';
comment on column jobs.delay is 'The last delay that was asked for it.';
comment on column jobs.reserves is 'How often it has been reserved.';
comment on column jobs.timeouts is 'How often a client had it for too long.';
comment on column jobs.releases is 'How often a client has given it back.';
comment on column jobs.buries is 'How often it has been buried.';
comment on column jobs.kicks is 'How often it has been kicked.';
comment on column jobs.broker is 'The epoch of the broker whose client has it: see brokers.';
comment on column jobs.sql_session is 'The pid of the SQL session that has it: see pg_stat_activity.';
comment on column jobs.sql_holder is 'The holder that the session has named, if any.';
comment on column jobs.sql_login is 'The login of that session.';

comment on column tubes.name is 'Its name, 1 to 200 bytes.';
comment on column tubes.ready is 'Jobs that may be reserved.';
comment on column tubes.delayed is 'Jobs that will be ready when their delay is over.';
comment on column tubes.reserved is 'Jobs in the hands of clients.';
comment on column tubes.buried is 'Jobs that wait for a kick.';
comment on column tubes.oldest_ready_at is 'When the job became ready that has waited for longest. It alone costs: all ready jobs of the tube are looked at.';
comment on column tubes.paused_until is 'Until when no job of it may be reserved; NULL when it is not paused.';

comment on column brokers.epoch is 'Numbers this life of the broker: it is never used again.';
comment on column brokers.host is 'The name of its machine.';
comment on column brokers.pid is 'Its process there.';
comment on column brokers.started_at is 'When it registered.';
comment on column brokers.heartbeat_at is 'When it was last heard of; once a second.';
comment on column brokers.alive is 'Whether it was heard of in the last 5 s; on a replica, of what the replica has got.';
comment on column brokers.sole is 'Whether it is the only one, and writes no leases.';
comment on column brokers.max_job_size is 'Bytes of a body that it takes.';

comment on function body_text(bytea) is 'The body as text; NULL when it is not UTF-8.';
comment on function body_json(bytea) is 'The body as jsonb; NULL when it is no JSON.';

select hide_functions();
