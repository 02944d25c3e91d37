import Foundation
import LogKeys
import Logging
import QueueCore

/// The heartbeat, and what the broker learns with it.
extension Keeper {
    /// Reads what has changed, renews the epoch, and only then uses what was read: it may be stale if the epoch is dead.
    func beat(_ connection: Connection) throws {
        let last = heartbeatSentAt
        let recount = client.beginCounting()
        let readAt = client.now()
        let since = known
        // If this throws, the broker has not learnt what was read: it reads everything anew.
        known = nil
        var changes = try TubeChanges(since: since, recount, epoch: epoch, at: readAt, connection)
        let tubes = try changes.next(connection)
        guard let isSole = try renewEpoch(connection) else { return }
        let before = peers
        monitor.heartbeatCommitted(at: client.now(), last: last)
        peers = try declareDead(connection)
        // At the very moment of a death: jobs of the dead broker wait.
        if let death = monitor.nextDeath(after: client.now()) { nextHeartbeat = min(nextHeartbeat, death) }
        if isJoining { return }
        client.renew(
            sentAt: heartbeatSentAt, peers: peers.count, hasLostPeer: !before.isSubset(of: peers), isSole: isSole)
        if !peers.isEmpty {
            obstacles.forget()
        } else if client.wantsSole {
            try connection.unlessLocked(logger) { try becomeSole(connection) }
        }
        if let policies = changes.policies { client.learn(policies: policies) }
        learn(tubes, isLast: changes.isRead, readAt)
        if try learnRest(of: &changes, readAt, connection) { known = changes }
    }

    /// Reads and learns the other parts. In between the broker renews its epoch and gets its ids.
    /// - Returns: False if it has been interrupted.
    private func learnRest(of changes: inout TubeChanges, _ readAt: Instant, _ connection: Connection) throws -> Bool {
        while !changes.isRead, !isStopping {
            try fetchIDs(connection)
            let tubes = try changes.next(connection)
            guard let isSole = try renewEpoch(connection) else { return false }
            client.renew(sentAt: heartbeatSentAt, peers: peers.count, hasLostPeer: false, isSole: isSole)
            learn(tubes, isLast: changes.isRead, readAt)
        }
        return changes.isRead
    }

    /// The tubes that the queue learns of at a time: clients are served in between.
    private static let learntAtOnce = 500
    /// Seconds for which the queue's lock, which is not a fair one, is left in between.
    private static let learningPause = 0.001

    private func learn(_ tubes: [TubeRow], isLast: Bool, _ readAt: Instant) {
        var left = tubes[...]
        repeat {
            let part = left.prefix(Keeper.learntAtOnce)
            left = left.dropFirst(Keeper.learntAtOnce)
            client.learn(Array(part), isLast: isLast && left.isEmpty, readAt: readAt)
            if !left.isEmpty { Thread.sleep(forTimeInterval: Keeper.learningPause) }
        } while !left.isEmpty
    }

    /// Sends a heartbeat.
    /// - Returns: True if this is the sole broker; `nil` if another broker has declared it dead.
    func renewEpoch(_ connection: Connection) throws -> Bool? {
        let sentAt = client.now()
        let rows = try connection.execute(.beat, ownEpoch)
        guard rows.count == 1 else {
            abandonEpoch("declared dead by another broker")
            return nil
        }
        let column = rows.columns(HeartbeatColumns.self)
        heartbeatSentAt = sentAt
        beats = rows[0, column.beats]
        if let lastID = rows.optional(0, column.lastID) { client.learn(lastID: JobID(clamping: lastID)) }
        warn(ofClockStep: clock.saw(rows[0, column.clock], asked: sentAt, now: client.now()))
        return rows[0, column.isSole]
    }

    private func warn(ofClockStep seconds: Int64) {
        guard seconds != 0 else { return }
        let how = seconds > 0 ? "forward by \(seconds) s" : "back by \(-seconds) s"
        logger.warning(
            """
            the database's clock was set \(how), or this machine slept: delays, pauses and leases of SQL sessions end \
            as much \(seconds > 0 ? "earlier" : "later")
            """)
    }

    /// - Returns: The epochs of the other brokers that live.
    func declareDead(_ connection: Connection) throws -> Set<Int64> {
        try monitor.declareDead(connection, ownEpoch: epoch, now: client.now, logger)
    }
}

struct HeartbeatColumns: RowColumns {
    let isSole: Column<Bool>
    let beats: Column<Int64>
    /// The database's clock, in microseconds since 1970.
    let clock: Column<Int64>
    /// The last id that anybody has taken; NULL if nobody has.
    let lastID: Column<Int64>

    init(_ column: inout ColumnFinder) {
        isSole = column("is_sole")
        beats = column("beats")
        clock = column("clock")
        lastID = column("last_id")
    }
}
