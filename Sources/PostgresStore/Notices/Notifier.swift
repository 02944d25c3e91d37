import Foundation
import Logging
import QueueCore

/// Exchanges notices with other brokers about jobs that have become ready, 50 times a second at most, over a connection of
/// its own (docs/ARCHITECTURE.md, Several brokers). Notices are rows of a table; a NOTIFY tells that there are some. Its
/// commit takes a lock of the whole cluster, so no write contains one.
///
/// Anybody may notify, as often as they like: a notification only makes this broker look into the table.
///
/// Looks also at what SQL sessions do (`SQLWatch`).
final class Notifier: SameServerWorker, @unchecked Sendable {
    /// Notices of this time go together, in both directions.
    private static let pause = Span.milliseconds(20)

    private unowned let client: any StoreClient
    private var watch: SQLWatch
    /// The table may have notices that have not been read.
    private var isNotified = false
    /// When the tubes for which others wait are read next. They are read at a notification that says so, and each second,
    /// since notifications get lost.
    private var nextWaits = Instant(nanoseconds: 0)
    /// What a notification says if waits have begun.
    private static let waits = "waits"
    private var nextLook = Instant(nanoseconds: 0)
    private var failures: FailureLog

    init(_ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient, _ logger: Logger) {
        self.client = client
        watch = SQLWatch(client)
        failures = FailureLog(logger)
        super.init("notifier", Statement.notifier, configuration, server, logger)
    }

    override func prepare(_ connection: Connection) throws {
        try connection.run(Statement.listen(to: configuration.schema))
    }

    override func serve(_ connection: Connection) throws {
        client.missedNotices()
        nextWaits = Instant(nanoseconds: 0)
        watch.begin()
        while !isStopping {
            try checkTerm()
            try failures.attempt("see what SQL sessions have done") { try watch.look(connection) }
            try hear(connection)
            if let notices = client.takeNotices() {
                try failures.attempt("tell other brokers of jobs") { try send(notices, connection) }
                try rest(connection)
            } else if isNotified {
                // A further notification would change nothing before the next look.
                _ = bell.wait(milliseconds: milliseconds(until: nextLook))
            } else if bell.wait(socket: connection.socket, milliseconds: watch.pause), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    /// Sends nothing for a while, and listens.
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

    /// Takes the notices for this broker, if somebody has notified it.
    private func hear(_ connection: Connection) throws {
        while let told = connection.nextNotification() {
            isNotified = true
            if told == Notifier.waits { nextWaits = Instant(nanoseconds: 0) }
        }
        guard isNotified || nextWaits <= client.now(), nextLook <= client.now() else { return }
        let epoch = client.epoch
        guard epoch != 0 else { return isNotified = false }
        nextLook = client.now() + Notifier.pause
        var own = Parameters()
        own.add(epoch)
        if nextWaits <= client.now() {
            nextWaits = client.now() + .seconds(1)
            try failures.attempt("hear of other brokers' waits") {
                let names: [String] = try connection.execute(.awaitedElsewhere, own).values()
                client.othersAwait(Set(names.compactMap { TubeName($0) }))
            }
        }
        guard isNotified else { return }
        isNotified = false
        try failures.attempt("hear of other brokers' jobs") {
            let rows = try connection.execute(.takeNotices, own)
            let column = rows.columns(NoticeColumns.self)
            let known = rows.indices.filter { !rows.isNull($0, column.name) }
            let removed = rows.indices.filter { rows.isNull($0, column.name) }
            if !known.isEmpty { client.noticed(known.compactMap { Notice(rows, $0, column) }) }
            if !removed.isEmpty { client.removed(removed.map { rows[$0, column.tube] }) }
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
        if !begun.isEmpty { try beginWaits(begun, notices.epoch, connection) }
        if !notices.readied.isEmpty { try insert(notices, connection) }
    }

    private func beginWaits(_ tubes: [String], _ epoch: Int64, _ connection: Connection) throws {
        var own = Parameters()
        own.add(epoch)
        own.add(texts: tubes)
        _ = try connection.execute(.beginWait, own)
        try notify(Notifier.waits, connection)
        var names = Parameters()
        names.add(texts: tubes)
        let rows = try connection.execute(.existingTubes, names)
        let column = rows.columns(ExistingTubeColumns.self)
        client.waitsPublished(
            rows.indices.compactMap { row in
                TubeName(rows[row, column.name]).map { (tube: rows[row, column.tube], name: $0) }
            })
    }

    private func insert(_ notices: Notices, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(notices.epoch)
        parameters.add(int4s: notices.readied.keys)
        parameters.add(int8s: notices.readied.values.map { Int64($0.priority) })
        parameters.add(int8s: notices.readied.values.map { Int64(bitPattern: $0.id) })
        parameters.add(bools: notices.readied.keys.map { notices.opened.contains($0) })
        guard try connection.execute(.insertNotices, parameters).value(Bool.self) else { return }
        try notify("", connection)
    }

    private func notify(_ what: String, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(configuration.schema)
        parameters.add(what)
        _ = try connection.execute(.notify, parameters)
    }
}

struct NoticeColumns: RowColumns {
    let tube: Column<TubeID>
    let name: Column<String>
    let priority: Column<Int64>
    let job: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        name = column("name")
        priority = column("priority")
        job = column("job_id")
    }
}

struct ExistingTubeColumns: RowColumns {
    let tube: Column<TubeID>
    let name: Column<String>

    init(_ column: inout ColumnFinder) {
        tube = column("id")
        name = column("name")
    }
}

extension Notice {
    /// `nil` if no tube can have the name.
    fileprivate init?(_ rows: Rows, _ row: Int, _ column: NoticeColumns) {
        guard let name = TubeName(rows[row, column.name]) else { return nil }
        self.init(
            tube: rows[row, column.tube], name: name,
            key: JobKey(nearest: rows[row, column.priority], rows[row, column.job]))
    }
}
