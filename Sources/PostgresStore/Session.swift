/// A connection that is ready for its task: schema, settings and prepared statements.
enum Session {
    /// `last`: the session of the connection that this one takes the place of, if it may still be there.
    static func open(
        _ configuration: StoreConfiguration, _ statements: [Statement], at address: HostAddress? = nil,
        last: ServerSession? = nil
    ) throws -> Connection {
        let connection = try Connection(configuration.database, at: address)
        // Until it is known which session to ask about.
        connection.isGivenUp = { $0 >= Session.patience }
        let session = try ServerSession(of: connection)
        connection.session = session
        connection.isGivenUp = { seconds in
            seconds % Session.patience == 0 && !session.isAtWork(configuration.database, at: address)
        }
        try last?.end(over: connection)
        var parameters = Parameters()
        parameters.add(configuration.schema)
        parameters.add(configuration.durability == .synchronous ? "on" : "off")
        _ = try connection.ask(.configure, parameters)
        try connection.run(Statement.configureLimits)
        do {
            try connection.prepare(statements)
        } catch let error as StoreError where error.isUndefined {
            throw try isThere(configuration.schema, connection) ? error : StoreError.schemaGone(configuration.schema)
        }
        return connection
    }

    private static func isThere(_ schema: String, _ connection: Connection) throws -> Bool {
        var parameters = Parameters()
        parameters.add(schema)
        return try connection.ask(.findMigrations, parameters).count > 0
    }

    /// Seconds of silence after which the server is asked whether it is at work on an answer.
    static let patience = 3
}
