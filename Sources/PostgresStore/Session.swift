/// A connection that is ready for its task: schema, settings and prepared statements.
enum Session {
    static func open(
        _ configuration: StoreConfiguration, _ statements: [Statement], isPipelined: Bool
    ) throws -> Connection {
        let connection = try Connection(configuration.database)
        try connection.run(
            """
            set search_path to \(identifier(configuration.schema));
            set synchronous_commit to \(configuration.durability == .synchronous ? "on" : "off");
            set idle_in_transaction_session_timeout to '3s';
            \(plans)
            """)
        for statement in statements { try connection.prepare(statement) }
        if isPipelined { try connection.enterPipeline() }
        return connection
    }

    /// A queue wants the plan that walks an index, whatever the statistics say: a plan made while the table was
    /// empty is kept by the session when it is not.
    private static let plans = """
        set plan_cache_mode to force_generic_plan;
        set enable_seqscan to off;
        set enable_bitmapscan to off;
        set enable_hashjoin to off;
        set enable_mergejoin to off;
        set enable_memoize to off;
        set jit to off;
        """
}
