/// A connection that is ready for its task: schema, settings and prepared statements.
enum Session {
    /// Connects, prepares, and ends the session `last`, which this one replaces.
    static func open(
        _ configuration: StoreConfiguration, _ statements: [Statement], at address: HostAddress? = nil,
        last: ServerSession? = nil
    ) throws -> Connection {
        let connection = try Connection(configuration.database, at: address)
        // Until the session is known that the server can be asked about.
        connection.shouldGiveUp = { $0 >= Session.patience }
        let session = try ServerSession(of: connection)
        connection.session = session
        connection.shouldGiveUp = { seconds in
            seconds % Session.patience == 0 && !session.isAtWork(configuration.database, at: address)
        }
        try last?.end(over: connection)
        var parameters = Parameters()
        parameters.add(configuration.schema)
        parameters.add(configuration.durability == .synchronous ? "on" : "off")
        _ = try connection.ask(.configure, parameters)
        try connection.run(Statement.configureLimits)
        do {
            // Once for each worker: a session that replaces another one must be there soon.
            try connection.prepare(statements, checksColumns: last == nil)
        } catch let error as StoreError where error.isUndefined {
            throw try hasSchema(configuration.schema, connection) ? error : StoreError.schemaGone(configuration.schema)
        }
        return connection
    }

    private static func hasSchema(_ schema: String, _ connection: Connection) throws -> Bool {
        var parameters = Parameters()
        parameters.add(schema)
        return try connection.ask(.findMigrations, parameters).count > 0
    }

    /// After this many seconds without an answer the server is asked whether it works on one.
    static let patience = 3
}
