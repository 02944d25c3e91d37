import QueueCore

/// What the keeper has read of the tubes and their policies since it last looked.
struct TubeNews {
    /// The last tube made, by anybody.
    private let newestTube: Int32
    private let policyVersion: Int64
    /// All of them, if one is new or their counts were asked for.
    let tubes: [TubeRow]?
    /// All of them, if one has changed.
    let policies: [TubePolicy]?

    /// `known`: what has been learnt already; without it, everything is news.
    init(since known: TubeNews?, counts: Bool, epoch: Int64, _ connection: Connection) throws {
        let news = try connection.execute(.news)
        newestTube = news.int32(0, 0)
        policyVersion = news.int64(0, 1)
        tubes = counts || (known?.newestTube ?? -1) < newestTube ? try TubeNews.readTubes(epoch, connection) : nil
        policies = known?.policyVersion == policyVersion ? nil : try TubeNews.readPolicies(connection)
    }

    private static func readTubes(_ epoch: Int64, _ connection: Connection) throws -> [TubeRow] {
        var own = Parameters()
        own.add(epoch)
        let rows = try connection.execute(.tubes, own)
        return (0..<rows.count).map { TubeRow(rows, $0) }
    }

    private static func readPolicies(_ connection: Connection) throws -> [TubePolicy] {
        let rows = try connection.execute(.policies)
        return (0..<rows.count).map { row in
            TubePolicy(
                tube: rows.int32(row, 0),
                buryAfterTimeouts: rows.isNull(row, 1) ? nil : UInt32(rows.int32(row, 1)),
                buryAfterReleases: rows.isNull(row, 2) ? nil : UInt32(rows.int32(row, 2)),
                maxReady: rows.isNull(row, 3) ? nil : Int(rows.int64(row, 3)), keepsHistory: rows.bool(row, 4))
        }
    }
}
