import QueueCore

/// What the keeper has read of the tubes and their policies since it last looked: what has changed, since there may be
/// very many of them.
struct TubeNews {
    /// All that is seen in it has been read.
    private let snapshot: String
    private let readAt: Instant
    private let policyVersion: Int64
    let tubes: [TubeRow]
    /// All of them, if one has changed.
    let policies: [TubePolicy]?

    /// So many changed tubes are asked for at a time; of more than `mostChanged`, all.
    private static let chunk = 2000
    private static let mostChanged = 20_000
    /// What others said that they held of a tube is there for at least so long after they have it no more.
    static let memory = Span.seconds(30)
    private static let oldest = Span.seconds(20)

    /// `known`: what has been learnt already; without it, everything is news.
    init(since known: TubeNews?, _ recount: Recount, epoch: Int64, at now: Instant, _ connection: Connection) throws {
        let news = try connection.execute(.news)
        snapshot = news.string(0, 0)
        policyVersion = news.int64(0, 1)
        readAt = now
        policies = known?.policyVersion == policyVersion ? nil : try TubeNews.readPolicies(connection)
        if let known, known.readAt + TubeNews.oldest > now,
            let changed = try known.changes(recount, epoch, connection)
        {
            tubes = try TubeNews.read(changed, epoch, connection)
        } else {
            if known == nil {
                for statement in [Statement.restampTubes, .restampCounts, .restampHeld] {
                    _ = try connection.execute(statement)
                }
            }
            var own = Parameters()
            own.add(epoch)
            tubes = TubeNews.rows(try connection.execute(.allTubes, own))
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

    private static func read(_ tubes: [TubeID], _ epoch: Int64, _ connection: Connection) throws -> [TubeRow] {
        var read: [TubeRow] = []
        for start in stride(from: 0, to: tubes.count, by: chunk) {
            var those = Parameters()
            those.add(epoch)
            those.add(int4s: tubes[start..<min(start + chunk, tubes.count)])
            read += rows(try connection.execute(.tubesByID, those))
        }
        return read
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
