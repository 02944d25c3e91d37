import Foundation
import Logging
import QueueCore

/// Tells other brokers what this one has made ready, and this one what they have, 50 times a second at most, from a
/// connection of its own. What is told lies in a table; a NOTIFY says that there is something. That takes a lock of the
/// whole cluster when its transaction commits, so none is ever part of a write (design, section 7).
///
/// Anybody may notify, as often as he likes: a notification has this broker look into its table, and nothing else.
///
/// Looks at what SQL sessions do as well, which cannot tell brokers more than that they have begun (`SQLWatch`).
final class Notifier: Follower, @unchecked Sendable {
    /// What collects in the meantime goes together, in both directions.
    private static let pause = Span.milliseconds(20)

    private unowned let client: any StoreClient
    private var watch: SQLWatch
    /// There may be something to look at, and it has not been looked at.
    private var isNotified = false
    private var nextLook = Instant(nanoseconds: 0)
    private var complaints: Complaints

    init(_ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient, _ logger: Logger) {
        self.client = client
        watch = SQLWatch(client)
        complaints = Complaints(logger)
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
            try complaints.attempt("see what SQL sessions have done") { try watch.look(connection) }
            try hear(connection)
            if let notices = client.takeNotices() {
                try complaints.attempt("tell other brokers of jobs") { try send(notices, connection) }
                try rest(connection)
            } else if isNotified {
                // Until the next look no more need be heard.
                _ = bell.wait(milliseconds: milliseconds(until: nextLook))
            } else if bell.wait(socket: connection.socket, milliseconds: watch.pause), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    /// Only listens for a while.
    private func rest(_ connection: Connection) throws {
        let end = client.now() + Notifier.pause
        while client.now() < end {
            try hear(connection)
            if isNotified {
                Thread.sleep(forTimeInterval: Double(milliseconds(until: min(nextLook, end))) / 1000)
            } else if connection.waitForInput(milliseconds: milliseconds(until: end)), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    private func milliseconds(until time: Instant) -> Int32 {
        Int32(clamping: max(0, (time - client.now()).nanoseconds) / 1_000_000 + 1)
    }

    /// Takes what others have told this broker, if somebody has notified it.
    private func hear(_ connection: Connection) throws {
        while connection.hasNotification() { isNotified = true }
        guard isNotified, nextLook <= client.now() else { return }
        isNotified = false
        let epoch = client.epoch
        guard epoch != 0 else { return }
        nextLook = client.now() + Notifier.pause
        var own = Parameters()
        own.add(epoch)
        try complaints.attempt("hear of other brokers' jobs") {
            let rows = try connection.execute(.takeNews, own)
            let (known, removed) = (
                (0..<rows.count).filter { !rows.isNull($0, 1) }, (0..<rows.count).filter { rows.isNull($0, 1) }
            )
            if !known.isEmpty { client.noticed(known.compactMap { Notice(rows, $0) }) }
            if !removed.isEmpty { client.removed(removed.map { rows.int32($0, 0) }) }
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
        client.waitsPublished(
            (0..<rows.count).compactMap { row in
                TubeName(rows.string(row, 1)).map { (tube: rows.int32(row, 0), name: $0) }
            })
    }

    private func tell(_ notices: Notices, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(notices.epoch)
        parameters.add(int4s: notices.readied.keys)
        parameters.add(int8s: notices.readied.values.map { Int64($0.priority) })
        parameters.add(int8s: notices.readied.values.map { Int64(bitPattern: $0.id) })
        parameters.add(bools: notices.readied.keys.map { notices.opened.contains($0) })
        guard try connection.execute(.tell, parameters).bool(0, 0) else { return }
        var channel = Parameters()
        channel.add(configuration.schema)
        _ = try connection.execute(.notify, channel)
    }
}

extension Notice {
    /// A row of the statement `takeNews`; `nil` when no tube can have its name.
    fileprivate init?(_ rows: Rows, _ row: Int) {
        guard let name = TubeName(rows.string(row, 1)) else { return nil }
        self.init(
            tube: rows.int32(row, 0), name: name, key: JobKey(nearest: rows.int64(row, 2), rows.int64(row, 3)))
    }
}
