/// What may be between a broker and PostgreSQL, such as PgBouncer. In its session mode a connection has a session of
/// the server to itself, as without it. In its transaction and statement modes it gets whichever is idle, each time
/// anew.
enum Pooler {
    private static let rounds = 5

    /// Throws a `StoreError` when the connection, which leads to this database, has no session of its own.
    ///
    /// Only where a pooler is seen is more asked: it tells clients a number of its own as their server's process. Then
    /// two connections ask for their sessions in turn. A pooler that shares them gives the one that became idle last,
    /// and both connections get the same; or the one that has been idle longest, and a connection gets another one than
    /// before. Other clients that come in between may hide that for a round.
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
