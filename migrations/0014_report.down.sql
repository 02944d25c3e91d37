drop view tubes, jobs, brokers;
drop function body_text(bytea), body_json(bytea), seen_at();

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
