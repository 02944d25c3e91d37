/// What the database says of itself for metrics.
extension Statement {
    /// All in one go, a row for each number. PostgreSQL's own estimates cost next to nothing; the size of the table is read
    /// from its files.
    static let databaseMetrics = Statement(
        name: "",
        sql: """
            select 'job_table_bytes' as metric, '' as label, pg_total_relation_size('job')::double precision as value
            union all
            select 'dead_rows', relname::text, pg_stat_get_dead_tuples(oid)::double precision
            from pg_class
            where relnamespace = (select own.relnamespace from pg_class as own where own.oid = 'job'::regclass)
                and relkind = 'r'
                and relname in (
                    'broker', 'fence', 'job', 'ledger', 'notice', 'sql_change', 'sql_lease', 'tube', 'tube_count',
                    'tube_held')
            union all
            select 'oldest_snapshot', '', coalesce(max(extract(epoch from now() - began.at)), 0)::double precision
            from (
                select xact_start as at
                from pg_stat_activity
                where backend_xmin is not null and backend_type <> 'autovacuum worker' and pid <> pg_backend_pid()
                    and (datname is null or datname = current_database())
                union all
                select prepared from pg_prepared_xacts where database = current_database()
            ) as began
            union all
            select 'warnings', coalesce(kind.name, warnings.warning), count(warnings.warning)::double precision
            from unnest(array[
                'autovacuum off', 'dead rows', 'index bloat', 'late heartbeat', 'old snapshot', 'transaction age'
            ]) as kind (name)
            full join warnings on warnings.warning = kind.name
            group by coalesce(kind.name, warnings.warning)
            order by metric, label
            """,
        columns: DatabaseMetricColumns.self)
}

struct DatabaseMetricColumns: RowColumns {
    let metric: Column<String>
    let label: Column<String>
    let value: Column<Double>

    init(_ column: inout ColumnFinder) {
        metric = column("metric")
        label = column("label")
        value = column("value")
    }
}
