import QueueCore

/// What the keeper reads of the tubes and their policies since it last looked: what has changed, since there may be very
/// many of them. It reads a part at a time, so that heartbeats come in between.
struct TubeNews {
    /// What has not been read yet.
    private enum Rest {
        case these(ArraySlice<TubeID>)
        /// All with a higher id.
        case all(after: TubeID)
        case none
    }

    /// All that is seen in it will have been read.
    private let snapshot: String
    private let readAt: Instant
    private let policyVersion: Int64
    private let epoch: Int64
    private var rest: Rest
    /// All of them, if one has changed.
    let policies: [TubePolicy]?

    /// Changed tubes that are asked for at a time; when more than `mostChanged` have changed, all are read, so many at a
    /// time.
    private static let chunk = 2000
    private static let mostChanged = 100_000
    private static let range: Int64 = 10_000
    /// What others said that they held of a tube is there for at least so long after they have it no more.
    static let memory = Span.seconds(30)
    private static let oldest = Span.seconds(20)

    /// `known`: what has been learnt already; without it, everything is news.
    init(since known: TubeNews?, _ recount: Recount, epoch: Int64, at now: Instant, _ connection: Connection) throws {
        let news = try connection.execute(.news)
        snapshot = news.string(0, 0)
        policyVersion = news.int64(0, 1)
        readAt = now
        self.epoch = epoch
        policies = known?.policyVersion == policyVersion ? nil : try TubeNews.readPolicies(connection)
        if let known, known.readAt + TubeNews.oldest > now,
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

    /// Whether no part is left.
    var isRead: Bool {
        if case .none = rest { true } else { false }
    }

    /// Reads the next part.
    mutating func next(_ connection: Connection) throws -> [TubeRow] {
        var parameters = Parameters()
        parameters.add(epoch)
        switch rest {
        case .none: return []
        case .these(let tubes):
            parameters.add(int4s: tubes.prefix(TubeNews.chunk))
            let rows = try connection.execute(.tubesByID, parameters)
            rest = tubes.count > TubeNews.chunk ? .these(tubes.dropFirst(TubeNews.chunk)) : .none
            return TubeNews.rows(rows)
        case .all(let last):
            var bounds = Parameters()
            bounds.add(last)
            bounds.add(TubeNews.range)
            let end = try connection.execute(.endOfRange, bounds)
            guard !end.isNull(0, 0) else {
                rest = .none
                return []
            }
            parameters.add(last)
            parameters.add(end.int32(0, 0))
            let rows = try connection.execute(.tubesInRange, parameters)
            rest = end.int64(0, 1) == TubeNews.range ? .all(after: end.int32(0, 0)) : .none
            return TubeNews.rows(rows)
        }
    }

    /// Which tubes have changed since; `nil` for all.
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
        return rows.count > TubeNews.mostChanged ? nil : (0..<rows.count).map { rows.int32($0, 0) }
    }

    private static func rows(_ rows: Rows) -> [TubeRow] { (0..<rows.count).compactMap { TubeRow(rows, $0) } }

    private static func readPolicies(_ connection: Connection) throws -> [TubePolicy] {
        let rows = try connection.execute(.policies)
        return (0..<rows.count).map { row in
            TubePolicy(
                tube: rows.int32(row, 0),
                buryAfterTimeouts: rows.isNull(row, 1) ? nil : UInt32(clamping: rows.int32(row, 1)),
                buryAfterReleases: rows.isNull(row, 2) ? nil : UInt32(clamping: rows.int32(row, 2)),
                maxReady: rows.isNull(row, 3) ? nil : Int(rows.int64(row, 3)), keepsHistory: rows.bool(row, 4))
        }
    }
}
