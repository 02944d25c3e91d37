/// The sessions of the admin listener. Statements are not prepared, so PostgreSQL plans each with its values: a filter
/// that is absent costs nothing.
extension Statement {
    /// A session of the pool: it only reads unless told otherwise, and not for long.
    static let configureAdmin = Statement(
        name: "",
        sql: """
            select
                set_config('search_path', quote_ident($1::text) || ', pg_temp', false),
                set_config('synchronous_commit', $2::text, false),
                set_config('statement_timeout', '2s', false),
                set_config('idle_in_transaction_session_timeout', '3s', false),
                set_config('default_transaction_read_only', 'on', false),
                set_config('default_transaction_isolation', 'read committed', false),
                set_config('default_transaction_deferrable', 'off', false),
                set_config('plan_cache_mode', 'force_custom_plan', false),
                set_config('enable_seqscan', 'off', false),
                set_config('enable_bitmapscan', 'off', false),
                set_config('jit', 'off', false),
                set_config('datestyle', 'ISO', false),
                set_config('intervalstyle', 'postgres', false),
                set_config('timezone', 'UTC', false)
            """)

    static let beginWriting = Statement(name: "", sql: "begin read write")
}
