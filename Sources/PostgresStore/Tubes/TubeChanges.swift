import QueueCore

/// What has changed of the tubes and their policies since the last reading. There may be very many tubes, so they are
/// read a part at a time, with heartbeats in between (docs/ARCHITECTURE.md, Many tubes).
struct TubeChanges {
    /// What has not been read yet.
    private enum Rest {
        case these(ArraySlice<TubeID>)
        /// All tubes with a higher id.
        case all(after: TubeID)
        case none
    }

    /// When no part is left, everything that this snapshot shows has been read.
    private let snapshot: String
    private let readAt: Instant
    private let policyVersion: Int64
    private let epoch: Int64
    private var rest: Rest
    /// All policies if one has changed; else `nil`.
    let policies: [TubePolicy]?

    /// The number of changed tubes in a part.
    private static let chunk = 2000
    /// If more tubes have changed, all are read.
    private static let mostChanged = 100_000
    /// The number of tubes in a part of all.
    private static let range: Int64 = 10_000
    /// A row that says that a broker holds nothing of a tube any more stays for at least this long.
    static let heldRowsStay = Span.seconds(30)
    /// After this long all tubes are read, since rows of `tube_held` may have been deleted unseen.
    private static let oldest = Span.seconds(20)

    /// `known`: what has been learnt already. Without it everything is read.
    init(since known: TubeChanges?, _ recount: Recount, epoch: Int64, at now: Instant, _ connection: Connection) throws
    {
        let rows = try connection.execute(.snapshot)
        let column = rows.columns(SnapshotColumns.self)
        snapshot = rows[0, column.snapshot]
        policyVersion = rows[0, column.policyVersion]
        readAt = now
        self.epoch = epoch
        policies = known?.policyVersion == policyVersion ? nil : try TubeChanges.readPolicies(connection)
        if let known, known.readAt + TubeChanges.oldest > now,
            let changed = try known.changes(recount, epoch, connection)
        {
            rest = changed.isEmpty ? .none : .these(changed[...])
        } else {
            rest = .all(after: 0)
            if known == nil {
                for statement in [Statement.restampTubes, .restampCounts, .restampHeld] {
                    _ = try connection.execute(statement)
                }
            }
        }
    }

    /// True if no part is left.
    var isRead: Bool {
        if case .none = rest { true } else { false }
    }

    /// Reads the next part.
    mutating func next(_ connection: Connection) throws -> [TubeRow] {
        switch rest {
        case .none: return []
        case .these(let tubes):
            var part = Parameters()
            part.add(epoch)
            part.add(int4s: tubes.prefix(TubeChanges.chunk))
            let rows = try connection.execute(.tubesByID, part)
            rest = tubes.count > TubeChanges.chunk ? .these(tubes.dropFirst(TubeChanges.chunk)) : .none
            return TubeChanges.rows(rows)
        case .all(let last): return try nextRange(after: last, connection)
        }
    }

    private mutating func nextRange(after last: TubeID, _ connection: Connection) throws -> [TubeRow] {
        var start = Parameters()
        start.add(last)
        start.add(TubeChanges.range)
        let found = try connection.execute(.endOfRange, start)
        let column = found.columns(RangeColumns.self)
        guard let end = found.optional(0, column.last) else {
            rest = .none
            return []
        }
        var range = Parameters()
        range.add(epoch)
        range.add(last)
        range.add(end)
        let rows = try connection.execute(.tubesInRange, range)
        rest = found[0, column.count] == TubeChanges.range ? .all(after: end) : .none
        return TubeChanges.rows(rows)
    }

    /// The tubes that have changed since; `nil` for all.
    private func changes(_ recount: Recount, _ epoch: Int64, _ connection: Connection) throws -> [TubeID]? {
        var since = Parameters()
        since.add(snapshot)
        let rows: Rows
        switch recount {
        case .all: return nil
        case .none: rows = try connection.execute(.newTubes, since)
        case .changed(let also):
            since.add(epoch)
            since.add(int4s: also)
            rows = try connection.execute(.changedTubes, since)
        }
        return rows.count > TubeChanges.mostChanged ? nil : rows.values(TubeID.self)
    }

    private static func rows(_ rows: Rows) -> [TubeRow] {
        let column = rows.columns(TubeColumns.self)
        return rows.indices.compactMap { TubeRow(rows, $0, column) }
    }

    private static func readPolicies(_ connection: Connection) throws -> [TubePolicy] {
        let rows = try connection.execute(.policies)
        let column = rows.columns(PolicyColumns.self)
        return rows.indices.map { row in
            TubePolicy(
                tube: rows[row, column.tube],
                buryAfterTimeouts: rows.optional(row, column.buryAfterTimeouts).map { UInt32(clamping: $0) },
                buryAfterReleases: rows.optional(row, column.buryAfterReleases).map { UInt32(clamping: $0) },
                maxReady: rows.optional(row, column.maxReady).map { Int($0) },
                keepsHistory: rows[row, column.keepsHistory])
        }
    }
}

struct SnapshotColumns: RowColumns {
    let snapshot: Column<String>
    let policyVersion: Column<Int64>

    init(_ column: inout ColumnFinder) {
        snapshot = column("snapshot")
        policyVersion = column("policy_version")
    }
}

struct PolicyColumns: RowColumns {
    let tube: Column<TubeID>
    let buryAfterTimeouts: Column<Int32>
    let buryAfterReleases: Column<Int32>
    let maxReady: Column<Int64>
    let keepsHistory: Column<Bool>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        buryAfterTimeouts = column("bury_after_timeouts")
        buryAfterReleases = column("bury_after_releases")
        maxReady = column("max_ready")
        keepsHistory = column("keeps_history")
    }
}

struct RangeColumns: RowColumns {
    let last: Column<TubeID>
    let count: Column<Int64>

    init(_ column: inout ColumnFinder) {
        last = column("last")
        count = column("count")
    }
}
