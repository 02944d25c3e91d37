import LogKeys
import Logging
import QueueCore

/// Watches the other brokers of the schema and declares those dead that have ended or that are silent for too long.
struct PeerMonitor {
    /// An epoch that this broker has given up and whose row may still be there.
    var abandoned: Int64?
    /// How many brokers this one has declared dead.
    private(set) var failovers: UInt64 = 0
    private var detector = FailureDetector()
    /// The transactions that keep brokers from being declared dead, and since when this is known.
    private var blockers: [Int64: Instant] = [:]

    private struct Peer {
        let epoch: Int64
        let beats: Int64
        /// Its process is on this machine and has ended.
        let hasEnded: Bool
    }

    mutating func connectionWasLost() { detector.connectionWasLost() }

    /// A heartbeat of this broker has committed. `last`: when the one before was sent.
    mutating func heartbeatCommitted(at now: Instant, last: Instant) {
        detector.heartbeatCommitted(at: now, last: last)
    }

    /// When the next broker is dead, unless a heartbeat of it comes before.
    func nextDeath(after now: Instant) -> Instant? { detector.nextDeath(after: now) }

    /// Reads which brokers are registered, and declares those dead that are.
    /// - Returns: The epochs of the other brokers that live.
    mutating func declareDead(
        _ connection: Connection, ownEpoch: Int64, now: () -> Instant, _ logger: Logger
    ) throws -> Set<Int64> {
        let asked = now()
        let peers = try PeerMonitor.read(connection, ownEpoch: ownEpoch)
        let beats = Dictionary(uniqueKeysWithValues: peers.map { ($0.epoch, $0.beats) })
        if let epoch = abandoned, beats[epoch] == nil { abandoned = nil }
        let silent = Set(detector.silent(among: beats, asked: asked, now: now()))
        let dead = peers.filter { $0.hasEnded || $0.epoch == abandoned || silent.contains($0.epoch) }
        let registered = Set(beats.keys)
        guard !dead.isEmpty else { return registered }
        do {
            return registered.subtracting(try declareDead(dead, connection, logger))
        } catch let error as StoreError where error.isLockTimeout {
            // The next heartbeat, which must not be late, tries again.
            try connection.rollBack()
            try endBlockers(of: dead, connection, at: now(), logger)
            return registered
        }
    }

    /// In the order of their epochs.
    private static func read(_ connection: Connection, ownEpoch: Int64) throws -> [Peer] {
        var own = Parameters()
        own.add(ownEpoch)
        let rows = try connection.execute(.peers, own)
        let column = rows.columns(PeerColumns.self)
        return rows.indices.map { row in
            Peer(
                epoch: rows[row, column.epoch], beats: rows[row, column.beats],
                hasEnded: ProcessSpace.hasEnded(rows[row, column.pid], in: rows[row, column.processSpace]))
        }.sorted { $0.epoch < $1.epoch }
    }

    /// - Returns: The epochs that have been declared dead: not those with a heartbeat in the meantime.
    private mutating func declareDead(
        _ dead: [Peer], _ connection: Connection, _ logger: Logger
    ) throws -> [Int64] {
        var parameters = Parameters()
        parameters.add(int8s: dead.map(\.epoch))
        parameters.add(int8s: dead.map(\.beats))
        // One transaction: nobody else would fold what the dead brokers have left.
        try connection.run(Statement.beginDeclaringDead)
        let epochs = try connection.execute(.declareDead, parameters).values(Int64.self)
        if !epochs.isEmpty {
            var gone = Parameters()
            gone.add(int8s: epochs)
            _ = try connection.execute(.cleanUpAfterDead, gone)
        }
        try connection.commit()
        blockers = [:]
        failovers += UInt64(epochs.filter { $0 != abandoned }.count)
        if let epoch = abandoned, epochs.contains(epoch) { abandoned = nil }
        if !epochs.isEmpty { logger.notice("declared brokers dead", metadata: [LogKey.epoch: "\(epochs)"]) }
        return epochs
    }

    /// Ends the transactions in the way that have been there for long enough.
    private mutating func endBlockers(
        of dead: [Peer], _ connection: Connection, at now: Instant, _ logger: Logger
    ) throws {
        var parameters = Parameters()
        parameters.add(int8s: dead.map(\.epoch))
        parameters.add(int8s: blockers.filter { now - $0.value >= StoreTiming.blockerLimit }.keys)
        let rows = try connection.execute(.endBlockers, parameters)
        let column = rows.columns(BlockerColumns.self)
        let known = blockers
        blockers = [:]
        for row in rows.indices {
            let transaction = rows[row, column.transaction]
            blockers[transaction] = known[transaction] ?? now
        }
        let ended = rows.indices.count { rows[$0, column.isEnded] }
        logger.warning("a batch keeps a broker from being declared dead", metadata: [LogKey.count: "\(ended)"])
    }
}

struct PeerColumns: RowColumns {
    let epoch: Column<Int64>
    let pid: Column<Int32>
    let processSpace: Column<String>
    let beats: Column<Int64>

    init(_ column: inout ColumnFinder) {
        epoch = column("epoch")
        pid = column("pid")
        processSpace = column("process_space")
        beats = column("beats")
    }
}

struct BlockerColumns: RowColumns {
    let transaction: Column<Int64>
    let isEnded: Column<Bool>

    init(_ column: inout ColumnFinder) {
        transaction = column("transaction")
        isEnded = column("is_ended")
    }
}
