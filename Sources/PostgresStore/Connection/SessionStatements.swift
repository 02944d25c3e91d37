/// The settings of every session of the running broker, and what sessions ask about each other (see `ServerSession`).
/// They ask the function below the view pg_stat_activity: the view needs catalogs that a new session has yet to read.
extension Statement {
    /// The planner may only walk indexes, whatever the statistics say: a session keeps the plan that it made while the
    /// table was empty.
    ///
    /// The keepalives: a broker's machine may vanish in the middle of a batch, whose locks others then wait for. The
    /// server's own limit is the operating system's, mostly two hours.
    static let configure = Statement(
        name: "configure",
        sql: """
            select
                set_config('search_path', quote_ident($1::text) || ', pg_temp', false),
                set_config('synchronous_commit', $2::text, false),
                set_config('idle_in_transaction_session_timeout', '3s', false),
                set_config('tcp_keepalives_idle', '5', false),
                set_config('tcp_keepalives_interval', '2', false),
                set_config('tcp_keepalives_count', '3', false),
                set_config('plan_cache_mode', 'force_generic_plan', false),
                set_config('enable_seqscan', 'off', false),
                set_config('enable_bitmapscan', 'off', false),
                set_config('enable_hashjoin', 'off', false),
                set_config('enable_mergejoin', 'off', false),
                set_config('enable_memoize', 'off', false),
                set_config('jit', 'off', false)
            """)

    /// Overrides settings of the database or the role. A stricter isolation would refuse what brokers do at the same
    /// time, and a limit made for people would end idle sessions and statements that wait as they should. Settings that
    /// this server does not have are left out.
    static let configureLimits = """
        do $$
        begin
            perform set_config(name, value, false) from (values
                ('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'),
                ('statement_timeout', '0'), ('lock_timeout', '0'), ('idle_session_timeout', '0'),
                ('transaction_timeout', '0'), ('standard_conforming_strings', 'on'), ('transform_null_equals', 'off'),
                ('datestyle', 'ISO'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'),
                ('enable_indexscan', 'on'), ('enable_indexonlyscan', 'on'), ('enable_sort', 'on')
            ) as setting (name, value)
            where current_setting(name, true) is not null;
        end
        $$
        """

    /// For a session whose statements join arrays to rows.
    static let joinByHash = "set enable_hashjoin to on; set enable_nestloop to off"

    private static let startedAt = "(extract(epoch from backend_start) * 1e6)::bigint"

    static let ownPID = Statement(name: "own_pid", sql: "select pg_backend_pid()")

    static let ownSession = Statement(
        name: "own_session", sql: "select pid, \(startedAt) as started_at from pg_stat_get_activity(pg_backend_pid())")

    static let endSession = Statement(
        name: "end_session",
        sql: """
            select pg_terminate_backend(pid) from pg_stat_get_activity($1::integer)
            where \(startedAt) = $2::bigint
            """)

    /// True if a session exists on this server.
    static let sessionExists = Statement(
        name: "session_exists",
        sql: """
            select exists (
                select from pg_stat_get_activity($1::integer) where \(startedAt) = $2::bigint)
            """)

    /// False if the session does not exist or waits for its client: it is idle, has got a part of a message, or nobody
    /// takes its answer.
    static let isAtWork = Statement(
        name: "is_at_work",
        sql: """
            select exists (
                select from pg_stat_get_activity($1::integer)
                where \(startedAt) = $2::bigint and wait_event_type is distinct from 'Client')
            """)

    /// The cluster and its timeline. The promotion of a standby begins a new timeline.
    static let timeline = Statement(
        name: "timeline",
        sql: """
            select
                system_identifier,
                ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer as timeline
            from pg_control_system()
            """)

    /// True if this server is no standby and its sessions may only read.
    static let onlyReads = Statement(
        name: "",
        sql: "select not pg_is_in_recovery() and current_setting('transaction_read_only')::boolean")
}
