-- What an operator should know before it does harm. Sizes and ages are PostgreSQL's own estimates, which cost next to
-- nothing and take no lock on our tables.
create view warnings as
with settings as (
    select
        extract(epoch from current_setting('autovacuum_naptime')::interval)::bigint as naptime,
        -- Dumps and reports may take longer in some shops: alter database ... set beanrow.old_snapshot = '1 hour'.
        coalesce(nullif(current_setting('beanrow.old_snapshot', true), '')::interval, '5 minutes') as old_snapshot,
        1000000 as old_transactions
), relation as (
    select
        pg_class.oid, pg_class.relname, pg_class.relkind, pg_class.reltuples, pg_class.relfrozenxid,
        pg_class.relminmxid, option.*
    from pg_class
    cross join lateral (
        select
            min(option_value) filter (where option_name = 'autovacuum_enabled') as enabled,
            min(option_value) filter (where option_name = 'autovacuum_vacuum_threshold') as threshold,
            min(option_value) filter (where option_name = 'autovacuum_vacuum_scale_factor') as scale_factor,
            min(option_value) filter (where option_name = 'autovacuum_freeze_max_age') as freeze_max_age
        from pg_options_to_table(pg_class.reloptions)
    ) as option
    where pg_class.relnamespace = (select own.relnamespace from pg_class as own where own.oid = 'job'::regclass)
        and pg_class.relkind = 'r'
        -- The schema may have tables of others.
        and (pg_class.relname in (
            'audit', 'broker', 'fence', 'import', 'import_file', 'job', 'ledger', 'migration', 'notice', 'operation',
            'policy_version', 'sql_change', 'sql_gate', 'sql_lease', 'tube', 'tube_awaited', 'tube_count', 'tube_held',
            'tube_level', 'tube_policy')
            or pg_class.relname ~ '^(job_history|tube_sample)_')
), sized as (
    -- A minute of 10,000 jobs a second leaves 600,000 dead rows before autovacuum looks: twice as many are normal.
    select
        relation.*, 20000 * settings.naptime as margin,
        pg_stat_get_live_tuples(relation.oid) as live, pg_stat_get_dead_tuples(relation.oid) as dead,
        greatest(
            pg_stat_get_last_vacuum_time(relation.oid), pg_stat_get_last_autovacuum_time(relation.oid)) as vacuumed_at
    from relation
    cross join settings
)
select
    'old snapshot' as warning,
    format('session %s', concat_ws(', ', activity.pid, nullif(activity.application_name, ''))) as object,
    activity.xact_start as since,
    age(activity.backend_xmin)::bigint as amount,
    'transactions' as unit,
    'It keeps every row that has been deleted since from being cleaned up: end its transaction.' as hint
from pg_stat_activity as activity
cross join settings
where activity.backend_xmin is not null
    and activity.backend_type <> 'autovacuum worker'
    and (activity.datname is null or activity.datname = current_database())
    -- PostgreSQL does not show everybody when a transaction began, nor when one of a standby did.
    and coalesce(
        activity.xact_start < now() - settings.old_snapshot,
        age(activity.backend_xmin) > settings.old_transactions)
union all
select
    'old snapshot', format('prepared transaction %s', prepared.gid), prepared.prepared,
    age(prepared.transaction)::bigint, 'transactions',
    'It keeps every row that has been deleted since from being cleaned up: commit prepared or rollback prepared it.'
from pg_prepared_xacts as prepared
cross join settings
where prepared.database = current_database() and prepared.prepared < now() - settings.old_snapshot
union all
select
    'old snapshot', format('replication slot %s', slot.slot_name), null, age(slot.xmin)::bigint, 'transactions',
    'A standby holds it: end the old transaction there, or drop the slot if its standby is gone for good.'
from pg_replication_slots as slot
cross join settings
where age(slot.xmin) > settings.old_transactions
union all
select
    'dead rows', relname, vacuumed_at, dead, 'rows',
    'Autovacuum does not keep up, or may not clean up because of an old snapshot: see the other warnings, and the '
        'server''s autovacuum_max_workers and autovacuum_vacuum_cost_limit.'
from sized
where dead > margin + 2 * (
    coalesce(threshold, current_setting('autovacuum_vacuum_threshold'))::bigint
        + coalesce(scale_factor, current_setting('autovacuum_vacuum_scale_factor'))::double precision * live)
union all
-- An entry of the widest index has 60 bytes; half-empty pages and a bad day may need four times that.
select
    'index bloat', pg_class.relname, sized.vacuumed_at,
    pg_class.relpages * current_setting('block_size')::bigint, 'bytes',
    'It is far larger than its rows need. After a large backlog that is worked off this is space for the next one; else '
        'run: reindex index concurrently.'
from sized
join pg_index on pg_index.indrelid = sized.oid
join pg_class on pg_class.oid = pg_index.indexrelid
where pg_class.relpages * current_setting('block_size')::bigint > 60 * (sized.margin + 4 * case
    when pg_index.indpred is null or pg_class.reltuples < 0 then greatest(sized.live, sized.reltuples::bigint)
    else pg_class.reltuples::bigint
end)
union all
select
    'autovacuum off', 'the server', null, null, null,
    'Dead rows are never cleaned up: set autovacuum and track_counts to on.'
where current_setting('autovacuum') = 'off' or current_setting('track_counts') = 'off'
union all
select
    'autovacuum off', relname, null, null, null,
    'Its dead rows are never cleaned up: alter table ... reset (autovacuum_enabled).'
from relation
where not coalesce(enabled, 'true')::boolean
union all
-- Long after the vacuum against wraparound should have run.
select
    'transaction age', relname, null, age(relfrozenxid)::bigint, 'transactions',
    'PostgreSQL refuses writes at about 2,000,000,000: see what keeps it from being vacuumed, and vacuum it by hand.'
from relation
where age(relfrozenxid) > 1.5 * least(
    coalesce(freeze_max_age, current_setting('autovacuum_freeze_max_age'))::bigint,
    current_setting('autovacuum_freeze_max_age')::bigint)
union all
select
    'transaction age', relname, null, mxid_age(relminmxid)::bigint, 'multixacts',
    'PostgreSQL refuses writes at about 2,000,000,000: see what keeps it from being vacuumed, and vacuum it by hand.'
from relation
where mxid_age(relminmxid) > 1.5 * current_setting('autovacuum_multixact_freeze_max_age')::bigint
union all
select
    'late heartbeat', format('broker %s on %s', epoch, host), heartbeat_at,
    extract(epoch from now() - heartbeat_at)::bigint, 'seconds',
    format('It cannot reach the database, or is gone: its jobs go to others as soon as another broker runs, or by '
        '"call %s.declare_dead()".', (select relnamespace::regnamespace from pg_class where oid = 'job'::regclass))
from broker
where heartbeat_at < now() - interval '5 seconds';

comment on view warnings is
    'What an operator should look into, a row for each thing; empty when all is well. Sessions of other roles are told '
    'in full to members of pg_read_all_stats only.';
comment on column warnings.warning is
    'What it is: old snapshot, dead rows, index bloat, autovacuum off, transaction age or late heartbeat.';
comment on column warnings.object is 'The session, slot, table, index or broker that it is about.';
comment on column warnings.since is
    'Since when: the start of the transaction, the last vacuum of the table or the last heartbeat; null if not known.';
comment on column warnings.amount is 'How much, in the unit; null where there is nothing to measure.';
comment on column warnings.unit is 'Of the amount: transactions, multixacts, rows, bytes or seconds.';
comment on column warnings.hint is 'What to do, in a sentence.';
