import Logging
public import QueueCore

/// Tells other brokers what this one has made ready, and this one what they have: NOTIFY, some 50 times a second at
/// most, from a connection of its own. A NOTIFY takes a lock of the whole cluster when its transaction commits, so none
/// is ever part of a write (design, section 7).
///
/// Looks at what SQL sessions do as well, which cannot tell brokers more than that they have begun (`SQLWatch`).
final class Notifier: Follower, @unchecked Sendable {
    /// What collects in the meantime goes together.
    private static let pause = Span.milliseconds(20)

    private unowned let client: any StoreClient
    private var watch: SQLWatch

    init(_ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient, _ logger: Logger) {
        self.client = client
        watch = SQLWatch(client)
        super.init("notifier", Statement.notifier, configuration, server, logger)
    }

    override func prepare(_ connection: Connection) throws {
        try connection.run(Statement.listen(to: configuration.schema))
    }

    override func serve(_ connection: Connection) throws {
        client.missedNotices()
        watch.begin()
        while !isStopping {
            try checkTerm()
            take(connection)
            try watch.look(connection)
            if let notices = client.takeNotices() {
                try send(notices, connection)
                try rest(connection)
            } else if bell.wait(socket: connection.socket, milliseconds: watch.pause), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    /// Only listens for a while.
    private func rest(_ connection: Connection) throws {
        let end = client.now() + Notifier.pause
        while client.now() < end {
            take(connection)
            let left = (end - client.now()).nanoseconds / 1_000_000 + 1
            if connection.waitForInput(milliseconds: Int32(left)), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    private func take(_ connection: Connection) {
        while let notification = connection.nextNotification() {
            if let notice = Notice(notification) { client.noticed(notice) }
        }
    }

    private func send(_ notices: Notices, _ connection: Connection) throws {
        let begun = notices.waits.filter(\.value).map(\.key.description)
        let ended = notices.waits.filter { !$0.value }.map(\.key.description)
        if !ended.isEmpty {
            var parameters = Parameters()
            parameters.add(notices.epoch)
            parameters.add(texts: ended)
            _ = try connection.execute(.endWait, parameters)
        }
        if !begun.isEmpty { try announce(begun, notices.epoch, connection) }
        if !notices.readied.isEmpty { try tell(notices, connection) }
    }

    private func announce(_ tubes: [String], _ epoch: Int64, _ connection: Connection) throws {
        var own = Parameters()
        own.add(epoch)
        own.add(texts: tubes)
        _ = try connection.execute(.beginWait, own)
        var names = Parameters()
        names.add(texts: tubes)
        let rows = try connection.execute(.awaited, names)
        client.announced(
            (0..<rows.count).map { (tube: rows.int32($0, 0), name: TubeName(unchecked: rows.string($0, 1))) })
    }

    private func tell(_ notices: Notices, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(notices.epoch)
        parameters.add(configuration.schema)
        parameters.add(int4s: notices.readied.keys)
        parameters.add(int8s: notices.readied.values.map { Int64($0.priority) })
        parameters.add(int8s: notices.readied.values.map { Int64(bitPattern: $0.id) })
        parameters.add(bools: notices.readied.keys.map { notices.opened.contains($0) })
        _ = try connection.execute(.tell, parameters)
    }
}

/// A job that somebody has made ready, as `tell` writes it: the tube's number, the job's key, the tube's name.
public struct Notice: Sendable {
    public let tube: TubeID
    public let name: TubeName
    public let key: JobKey

    /// `nil` for one that is none: anybody may notify.
    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 3)
        guard parts.count == 4, let tube = TubeID(parts[0]), let priority = UInt32(parts[1]), let id = JobID(parts[2]),
            let name = TubeName(String(parts[3]))
        else { return nil }
        self.tube = tube
        self.name = name
        key = JobKey(priority: priority, id: id)
    }
}
