import LogKeys
import Logging

/// Which server the keeper works on: the first of the connection string that accepts writes, but never one that was
/// left behind by a promotion. An old primary that comes back, and that nobody has told, accepts writes too.
struct ServerChoice {
    private let configuration: StoreConfiguration
    private let logger: Logger
    private var history: History?
    /// Of the whole connection string.
    private var addresses: [HostAddress] = []

    init(_ configuration: StoreConfiguration, _ logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Makes a session. Blocks; throws a `StoreError` when no server will do.
    mutating func open(_ statements: [Statement], last: ServerSession?) throws -> Connection {
        let first = try Session.open(configuration, statements, last: last)
        addresses = first.addresses
        if accepts(first) { return first }
        for address in addresses where address != first.address {
            if let other = try? Session.open(configuration, statements, at: address), accepts(other) { return other }
        }
        throw StoreError.unreachable("what accepts writes is an old primary, and the new one is not there")
    }

    private mutating func accepts(_ connection: Connection) -> Bool {
        guard let found = History(of: connection) else { return true }
        if let history, found.isBehind(history) {
            logger.warning(
                "passed over an old primary: it accepts writes and must not",
                metadata: [LogKey.server: "\(connection.host):\(connection.port)"])
            return false
        }
        history = found
        return true
    }

    /// Whether a standby has been promoted since this connection, which is silent, was made.
    func hasSuccessor(of connection: Connection) -> Bool {
        guard let history else { return false }
        let current = connection.address
        let others: [HostAddress?] = current == nil ? [nil] : addresses.filter { $0 != current }
        return others.contains { address in
            guard let other = try? Connection(configuration.database, at: address), let found = History(of: other)
            else { return false }
            return history.isBehind(found)
        }
    }
}

/// Where in the history of a cluster a server is.
private struct History {
    private let system: Int64
    private let timeline: Int32

    /// `nil` for a server that does not tell: some that are managed, and those that only look like PostgreSQL.
    init?(of connection: Connection) {
        guard let row = try? connection.ask(.history) else { return nil }
        (system, timeline) = (row.int64(0, 0), row.int32(0, 1))
    }

    /// Whether a standby of the same cluster has been promoted after this.
    func isBehind(_ other: History) -> Bool {
        system == other.system && timeline < other.timeline
    }
}
