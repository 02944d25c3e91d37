/// What every session of the running broker begins with, and what sessions know of each other (see `ServerSession`).
/// That is asked of the function below the view pg_stat_activity: a session is named at its start, when each catalog
/// that a view needs has yet to be read.
extension Statement {
    /// A queue wants the plan that walks an index, whatever the statistics say: a plan made while the table was
    /// empty is kept by the session when it is not.
    ///
    /// The keepalives: a broker's machine may be gone without a word, in the middle of a batch, whose locks others then
    /// wait for. The server's own limit is the system's, two hours mostly.
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

    /// What settings of the database or the role must not decide: a stricter isolation refuses what brokers do at the
    /// same time, and a limit made for people ends sessions that rest, or statements that wait as they should. Those
    /// that this server does not have are left out.
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

    /// Of a session whose statements join arrays to rows.
    static let joinByHash = "set enable_hashjoin to on; set enable_nestloop to off"

    private static let startedAt = "(extract(epoch from backend_start) * 1e6)::bigint"

    static let ownPID = Statement(name: "own_pid", sql: "select pg_backend_pid()")

    static let ownSession = Statement(
        name: "own_session", sql: "select pid, \(startedAt) from pg_stat_get_activity(pg_backend_pid())")

    static let endSession = Statement(
        name: "end_session",
        sql: """
            select pg_terminate_backend(pid) from pg_stat_get_activity($1::integer)
            where \(startedAt) = $2::bigint
            """)

    /// Whether that one is a session of this server.
    static let isHere = Statement(
        name: "is_here",
        sql: """
            select exists (
                select from pg_stat_get_activity($1::integer) where \(startedAt) = $2::bigint)
            """)

    /// A session waits for its client when it is idle, when it has not got all of a message, and when nobody takes its
    /// answer.
    static let isAtWork = Statement(
        name: "is_at_work",
        sql: """
            select exists (
                select from pg_stat_get_activity($1::integer)
                where \(startedAt) = $2::bigint and wait_event_type is distinct from 'Client')
            """)

    /// Which cluster this is, and how often one of its standbys has been promoted. A promotion begins a timeline.
    static let history = Statement(
        name: "history",
        sql: """
            select system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
            from pg_control_system()
            """)
}
