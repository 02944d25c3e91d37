/// A pooler, such as PgBouncer, between a broker and PostgreSQL. In session mode each connection keeps a session of the
/// server to itself, as without a pooler. In transaction and statement mode it gets an idle session each time.
enum Pooler {
    private static let rounds = 5

    /// Throws a `StoreError` if the connection, which leads to this database, has no session of its own.
    ///
    /// A pooler tells its client another process number than the server does. If that is so, two connections ask for
    /// their sessions in turn. A pooler that shares sessions gives the one that became idle last, and both connections
    /// get the same; or the one that has been idle longest, and a connection gets another one than before. Other clients
    /// in between may hide that for a round.
    static func check(_ connection: Connection, to database: String) throws {
        let pid = try serverPID(of: connection)
        guard pid != connection.reportedPID else { return }
        let other = try Connection(database, at: connection.address)
        other.shouldGiveUp = { $0 >= Session.patience }
        for _ in 1...rounds {
            guard try serverPID(of: connection) == pid, try serverPID(of: other) != pid else {
                throw StoreError.sessionsAreShared
            }
        }
    }

    private static func serverPID(of connection: Connection) throws -> Int32 {
        try connection.ask(.ownPID).int32(0, 0)
    }
}
