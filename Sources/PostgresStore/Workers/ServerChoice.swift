import LogKeys
import Logging

/// Chooses the keeper's server: the first one of the connection string that accepts writes, but never an old primary. An
/// old primary that comes back, and was not told of the promotion of another server, accepts writes too.
struct ServerChoice {
    private let configuration: StoreConfiguration
    private let logger: Logger
    /// The timeline of the last server.
    private var timeline: Timeline?
    /// All servers of the connection string.
    private var addresses: [HostAddress] = []

    init(_ configuration: StoreConfiguration, _ logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Opens a session. Blocks; throws a `StoreError` if no server will do.
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
        guard let found = Timeline(of: connection) else { return true }
        if let timeline, found.isBehind(timeline) {
            logger.warning(
                "passed over an old primary: it accepts writes and must not",
                metadata: [LogKey.server: "\(connection.host):\(connection.port)"])
            return false
        }
        timeline = found
        return true
    }

    /// True if a standby has been promoted since this connection, which does not answer, was made.
    func hasSuccessor(of connection: Connection) -> Bool {
        guard let timeline else { return false }
        let current = connection.address
        let others: [HostAddress?] = current == nil ? [nil] : addresses.filter { $0 != current }
        return others.contains { address in
            guard let other = try? Connection(configuration.database, at: address), let found = Timeline(of: other)
            else { return false }
            return timeline.isBehind(found)
        }
    }
}

/// The cluster and the timeline of a server.
private struct Timeline {
    private let system: Int64
    private let number: Int32

    /// `nil` for a server that does not tell, as some managed ones and imitations of PostgreSQL.
    init?(of connection: Connection) {
        guard let rows = try? connection.ask(.timeline) else { return nil }
        let column = rows.columns(TimelineColumns.self)
        (system, number) = (rows[0, column.system], rows[0, column.number])
    }

    /// True if a standby of the same cluster was promoted after this.
    func isBehind(_ other: Timeline) -> Bool {
        system == other.system && number < other.number
    }
}

private struct TimelineColumns: RowColumns {
    let system: Column<Int64>
    let number: Column<Int32>

    init(_ column: inout ColumnFinder) {
        system = column("system_identifier")
        number = column("timeline")
    }
}
