/// The server's side of a connection. It may outlive a broken connection: its transaction keeps its locks and waits for
/// messages that never come.
struct ServerSession: Sendable {
    let pid: Int32
    /// Distinguishes it from later sessions with the same pid. Microseconds since 1970, by the server's clock.
    private let startedAt: Int64

    /// The session of this connection.
    init(of connection: Connection) throws {
        let rows = try connection.ask(.ownSession)
        let column = rows.columns(OwnSessionColumns.self)
        guard let startedAt = rows.optional(0, column.startedAt) else { throw StoreError.sessionIsHidden }
        pid = rows[0, column.pid]
        self.startedAt = startedAt
    }

    /// True if this connection leads to the session's server.
    func isOnServer(of connection: Connection) throws -> Bool {
        try connection.ask(.sessionExists, parameters).value(Bool.self)
    }

    /// True if the server works for the session. Asked over a connection of its own; false if there is no answer.
    func isAtWork(_ database: String, at address: HostAddress?) -> Bool {
        guard let connection = try? Connection(database, at: address) else { return false }
        connection.shouldGiveUp = { $0 >= Session.patience }
        return (try? connection.ask(.isAtWork, parameters).value(Bool.self)) ?? false
    }

    /// Ends the session, if it exists, over another connection: what it has not committed by then, it never will.
    func end(over connection: Connection) throws {
        _ = try connection.ask(.endSession, parameters)
    }

    private var parameters: Parameters {
        var parameters = Parameters()
        parameters.add(pid)
        parameters.add(startedAt)
        return parameters
    }
}

struct OwnSessionColumns: RowColumns {
    let pid: Column<Int32>
    let startedAt: Column<Int64>

    init(_ column: inout ColumnFinder) {
        pid = column("pid")
        startedAt = column("started_at")
    }
}
