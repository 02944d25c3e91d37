import QueueCore

/// Looks twenty times a second at what SQL sessions do (docs/ARCHITECTURE.md, SQL beside brokers). They do not notify:
/// there would be a NOTIFY in each put, and its commit takes a lock of the whole cluster.
///
/// Each call draws a number from a sequence, which is seen at once, and holds a lock until its transaction has ended. So
/// after a look that found nobody at work, no change with a number drawn before it can be missing.
struct SQLWatch {
    private static let interval = Span.milliseconds(50)
    /// The number of rows that one statement folds.
    private static let limit: Int64 = 1000
    /// After this many looks a fold begins at the first row: a broker may have died with rows that it had taken.
    private static let looksToStart = 1000

    private struct Activity {
        let changes: Int64
        let recalls: Int64
        let reservations: Int64
        let answered: Int64
        let isQuiet: Bool

        init(_ rows: Rows) {
            let column = rows.columns(SQLActivityColumns.self)
            changes = rows[0, column.changes]
            recalls = rows[0, column.recalls]
            reservations = rows[0, column.reservations]
            answered = rows[0, column.answered]
            isQuiet = rows[0, column.isQuiet]
        }
    }

    private unowned let client: any StoreClient
    private var last: Activity?
    /// All changes up to this number have been folded.
    private var folded: Int64 = 0
    /// A fold has been sent and its result has not come.
    private var isFolding = false
    private var looks = 0
    private var next = Instant(nanoseconds: 0)

    init(_ client: any StoreClient) { self.client = client }

    /// Milliseconds until the next look.
    var pause: Int32 { Int32(clamping: max(1, (next - client.now()).nanoseconds / 1_000_000)) }

    /// Begins on a new connection, which has ended the session of the one before.
    mutating func begin() {
        if isFolding { client.othersCounted() }
        self = SQLWatch(client)
    }

    mutating func look(_ connection: Connection) throws {
        guard next <= client.now() else { return }
        defer { next = client.now() + SQLWatch.interval }
        let epoch = client.epoch
        guard epoch != 0 else { return }
        var own = Parameters()
        own.add(epoch)
        own.add(folded)
        let activity = Activity(try connection.execute(.sqlActivity, own))
        if activity.recalls > activity.answered { client.leasesRecalled(activity.recalls) }
        if let last, last.reservations != activity.reservations { client.shareWithSQL() }
        looks += 1
        if looks % SQLWatch.looksToStart == 0 { folded = 0 }
        let wasQuiet = last.map { $0.isQuiet && $0.changes == activity.changes } ?? false
        if !wasQuiet || !activity.isQuiet || folded == 0 { try fold(epoch, connection) }
        if activity.isQuiet { folded = activity.changes }
        last = activity
    }

    private mutating func fold(_ epoch: Int64, _ connection: Connection) throws {
        var count: Int64
        repeat {
            var parameters = Parameters()
            parameters.add(epoch)
            parameters.add(folded)
            parameters.add(SQLWatch.limit)
            let readAt = client.now()
            isFolding = true
            let rows = try connection.execute(.foldSQL, parameters)
            isFolding = false
            let column = rows.columns(SQLChangeColumns.self)
            if rows.count > 0 {
                client.learn(rows.indices.compactMap { SQLChange(rows, $0, column) }, readAt: readAt)
            }
            count = rows.indices.reduce(0) { $0 + rows[$1, column.count] }
        } while count == SQLWatch.limit
    }
}

struct SQLActivityColumns: RowColumns {
    let changes: Column<Int64>
    let recalls: Column<Int64>
    let reservations: Column<Int64>
    let answered: Column<Int64>
    let isQuiet: Column<Bool>

    init(_ column: inout ColumnFinder) {
        changes = column("changes")
        recalls = column("recalls")
        reservations = column("reservations")
        answered = column("answered")
        isQuiet = column("is_quiet")
    }
}

struct SQLChangeColumns: RowColumns {
    let tube: TubeColumns
    let firstPriority: Column<Int64>
    let firstID: Column<Int64>
    let puts: Column<Int64>
    let deletes: Column<Int64>
    let count: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = TubeColumns(&column)
        firstPriority = column("first_priority")
        firstID = column("first_id")
        puts = column("puts")
        deletes = column("deletes")
        count = column("count")
    }
}

extension SQLChange {
    /// `nil` if no tube can have the name.
    fileprivate init?(_ rows: Rows, _ row: Int, _ column: SQLChangeColumns) {
        guard let tube = TubeRow(rows, row, column.tube) else { return nil }
        var first: JobKey?
        if let priority = rows.optional(row, column.firstPriority), let id = rows.optional(row, column.firstID) {
            first = JobKey(nearest: priority, id)
        }
        self.init(
            tube: tube, first: first, puts: UInt64(clamping: rows[row, column.puts]),
            deletes: UInt64(clamping: rows[row, column.deletes]))
    }
}
