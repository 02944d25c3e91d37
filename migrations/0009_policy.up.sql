-- What is different about some tubes: a row only where somebody has set a policy. Null leaves a setting off.
create table tube_policy (
    tube_id integer primary key references tube on delete cascade,
    bury_after_timeouts integer check (bury_after_timeouts >= 1),
    bury_after_releases integer check (bury_after_releases >= 1),
    max_ready bigint check (max_ready >= 1),
    -- For how long finished jobs are kept.
    history interval check (history > interval '0' and history <= interval '100 years'),
    history_body boolean not null default false
);

-- Grows with each change of a policy, so that brokers need not read all of them to see that there is none. Of one row:
-- a sequence grows before its transaction commits, so that whoever reads it then would miss the change for ever.
create table policy_version (
    version bigint not null,
    is_only boolean primary key default true check (is_only)
) with (fillfactor = 50);

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

-- What stands in a tube's policy afterwards is what this call says: what it leaves out is off.
create function set_policy(
    tube text,
    bury_after_timeouts integer default null,
    bury_after_releases integer default null,
    max_ready bigint default null,
    history interval default null,
    history_body boolean default false
) returns void
language plpgsql security definer set search_path from current
as $$
declare
    the_tube integer;
begin
    perform check_tube(set_policy.tube);
    if set_policy.bury_after_timeouts < 1 then
        perform refuse('BR011', format('A job cannot be buried after %s timeouts.', set_policy.bury_after_timeouts),
            'bury_after_timeouts is 1 or more, or null to bury no job for its timeouts.');
    end if;
    if set_policy.bury_after_releases < 1 then
        perform refuse('BR011', format('A job cannot be buried after %s releases.', set_policy.bury_after_releases),
            'bury_after_releases is 1 or more, or null to bury no job for its releases.');
    end if;
    if set_policy.max_ready < 1 then
        perform refuse('BR011', format('A tube cannot be full with %s ready jobs.', set_policy.max_ready),
            'max_ready is 1 or more, or null for a tube that is never full.');
    end if;
    if set_policy.history not between interval '1 microsecond' and interval '100 years' then
        perform refuse('BR011', format('History cannot be kept for %s.', set_policy.history),
            'history is longer than nothing and 100 years at most, or null to keep none.');
    end if;
    perform begin_sql();
    the_tube := open_tube(set_policy.tube);
    -- A new one is known to all at once.
    perform tell_brokers(the_tube, null, null, 0, 0, 0, 0);
    if set_policy.bury_after_timeouts is null and set_policy.bury_after_releases is null
        and set_policy.max_ready is null and set_policy.history is null
    then
        delete from tube_policy where tube_id = the_tube;
    else
        insert into tube_policy as policy
            (tube_id, bury_after_timeouts, bury_after_releases, max_ready, history, history_body)
        values (
            the_tube, set_policy.bury_after_timeouts, set_policy.bury_after_releases, set_policy.max_ready,
            set_policy.history, coalesce(set_policy.history_body, false))
        on conflict (tube_id) do update set
            bury_after_timeouts = excluded.bury_after_timeouts,
            bury_after_releases = excluded.bury_after_releases,
            max_ready = excluded.max_ready,
            history = excluded.history,
            history_body = excluded.history_body;
    end if;
end
$$;

select hide_functions();

comment on function set_policy(text, integer, integer, bigint, interval, boolean) is
    'Sets the policy of a tube, which is made when missing. What is left out, or null, is off; brokers follow within about a second.';

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

comment on view tube_policies is 'What is different about some tubes (set_policy); a tube that is not here has no policy.';
comment on column tube_policies.tube is 'The name of the tube.';
comment on column tube_policies.bury_after_timeouts is
    'A job whose time to run is over for the so manyth time is buried instead of made ready; null: never.';
comment on column tube_policies.bury_after_releases is
    'A job that is released for the so manyth time is buried instead, and its client told BURIED; null: never.';
comment on column tube_policies.max_ready is
    'A put gets OUT_OF_MEMORY while the tube has so many ready jobs or more; null: no limit.';
comment on column tube_policies.history is 'For how long the tube''s finished jobs are kept; null: not at all.';
comment on column tube_policies.history_body is 'Whether they are kept with their bodies.';

-- A tube has one job with a key at most: a second put gets the id of the first.
alter table job add column key text collate "C";
