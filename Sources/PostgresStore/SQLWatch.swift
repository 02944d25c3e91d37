import QueueCore

/// Looks, some twenty times a second, at what SQL sessions do. They cannot notify: a NOTIFY takes a lock of the whole
/// cluster when its transaction commits, and there would be one in each put (design, section 7).
///
/// Each call draws from a sequence, which is seen at once, and holds a lock until its transaction has ended. So after a
/// look that found nobody at work nothing can be missing that was drawn before it.
struct SQLWatch {
    private static let every = Span.milliseconds(50)
    /// Rows that one statement folds.
    private static let limit: Int64 = 1000
    /// After so many looks even what was folded is looked for: another broker may have died with a row in its hands.
    private static let looksToStart = 1000

    private struct View {
        let changes: Int64
        let summons: Int64
        let reservations: Int64
        let answered: Int64
        let isQuiet: Bool

        init(_ rows: Rows) {
            changes = rows.int64(0, 0)
            summons = rows.int64(0, 1)
            reservations = rows.int64(0, 2)
            answered = rows.int64(0, 3)
            isQuiet = rows.bool(0, 4)
        }
    }

    private unowned let client: any StoreClient
    private var last: View?
    /// All up to this number has been folded.
    private var folded: Int64 = 0
    /// A fold has been sent and nothing has come back.
    private var isFolding = false
    private var looks = 0
    private var next = Instant(nanoseconds: 0)

    init(_ client: any StoreClient) { self.client = client }

    /// Milliseconds until the next look.
    var pause: Int32 { Int32(clamping: max(1, (next - client.now()).nanoseconds / 1_000_000)) }

    /// A new connection, which has ended the session of the one before.
    mutating func begin() {
        if isFolding { client.othersCounted() }
        self = SQLWatch(client)
    }

    mutating func look(_ connection: Connection) throws {
        guard next <= client.now() else { return }
        defer { next = client.now() + SQLWatch.every }
        let epoch = client.epoch
        guard epoch != 0 else { return }
        var own = Parameters()
        own.add(epoch)
        own.add(folded)
        let view = View(try connection.execute(.look, own))
        if view.summons > view.answered { client.leasesRecalled(view.summons) }
        if let last, last.reservations != view.reservations { client.shareWithSQL() }
        looks += 1
        if looks % SQLWatch.looksToStart == 0 { folded = 0 }
        let wasQuiet = last.map { $0.isQuiet && $0.changes == view.changes } ?? false
        if !wasQuiet || !view.isQuiet || folded == 0 { try fold(epoch, connection) }
        if view.isQuiet { folded = view.changes }
        last = view
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
            if rows.count > 0 {
                client.learn((0..<rows.count).compactMap { SQLChange(rows, $0) }, readAt: readAt)
            }
            count = (0..<rows.count).reduce(0) { $0 + rows.int64($1, 10) }
        } while count == SQLWatch.limit
    }
}

extension SQLChange {
    /// A row of the statement `foldSQL`.
    fileprivate init?(_ rows: Rows, _ row: Int) {
        guard let name = TubeName(rows.string(row, 1)) else { return nil }
        self.init(
            tube: TubeRow(
                id: rows.int32(row, 0), name: name, pause: rows.int64(row, 2),
                pauseLeft: rows.int64(row, 3), counts: rows.counts(row, from: 4)),
            first: rows.isNull(row, 8) || rows.isNull(row, 9)
                ? nil : JobKey(nearest: rows.int64(row, 8), rows.int64(row, 9)))
    }
}
