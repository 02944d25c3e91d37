/// The server's side of a connection. A connection that has broken may live on there: its transaction keeps its locks,
/// and waits for messages that never come.
struct ServerSession: Sendable {
    let pid: Int32
    /// Tells it from later ones with the same pid. Microseconds since 1970, by the server's clock.
    private let startedAt: Int64

    /// The one of this connection.
    init(of connection: Connection) throws {
        let rows = try connection.ask(.ownSession)
        guard !rows.isNull(0, 1) else { throw StoreError.sessionIsHidden }
        pid = rows.int32(0, 0)
        startedAt = rows.int64(0, 1)
    }

    /// Whether another connection leads to the same server.
    func isHere(_ connection: Connection) throws -> Bool {
        try connection.ask(.isHere, parameters).bool(0, 0)
    }

    /// Whether the server has something to do for it. Asked over a connection of its own; false when nobody can be
    /// asked.
    func isAtWork(_ database: String, at address: HostAddress?) -> Bool {
        guard let connection = try? Connection(database, at: address) else { return false }
        connection.isGivenUp = { $0 >= Session.patience }
        return (try? connection.ask(.isAtWork, parameters).bool(0, 0)) ?? false
    }

    /// Ends it if it is still there, over another connection: what it has not committed by then, it never will.
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
