import QueueCore

/// Decides when other brokers are dead. It watches by this broker's own clock whether their heartbeat counters move, and
/// it waits while what kept them from being heard of may have been the same for all.
struct FailureDetector {
    /// The last heartbeat of another broker, and since when it is known.
    private struct LastHeartbeat {
        let beats: Int64
        let since: Instant
    }

    private var lastHeartbeats: [Int64: LastHeartbeat] = [:]
    /// Nobody is declared dead before this.
    private var graceEnd = Instant(nanoseconds: 0)

    /// This broker has lost its connection and is back. The others may have been cut off too: their time begins anew.
    mutating func connectionWasLost() { lastHeartbeats = [:] }

    /// A heartbeat of this broker has committed; `last`: when the one before was sent. A machine or a database that hung
    /// has kept the others from being heard of too, so they get a grace.
    mutating func heartbeatCommitted(at now: Instant, last: Instant) {
        guard now - last > StoreTiming.lateHeartbeat, now > graceEnd + StoreTiming.graceInterval else { return }
        graceEnd = now + StoreTiming.graceAfterHang
    }

    /// Takes the heartbeat counters of all others, which were asked for at `asked` and are known at `now`.
    /// - Returns: The epochs that are dead: their counters have not moved from when the last new number was read until
    ///   this question was sent.
    mutating func silent(among beats: [Int64: Int64], asked: Instant, now: Instant) -> [Int64] {
        let before = lastHeartbeats
        lastHeartbeats = [:]
        var silent: [Int64] = []
        for (epoch, beats) in beats {
            if let last = before[epoch], last.beats == beats {
                lastHeartbeats[epoch] = last
                if asked >= death(after: last) { silent.append(epoch) }
            } else {
                lastHeartbeats[epoch] = LastHeartbeat(beats: beats, since: now)
            }
        }
        return silent.sorted()
    }

    private func death(after last: LastHeartbeat) -> Instant { max(last.since + StoreTiming.deathAfter, graceEnd) }

    /// When the next broker is dead, unless a heartbeat of it comes before.
    func nextDeath(after now: Instant) -> Instant? {
        lastHeartbeats.values.lazy.map { death(after: $0) }.filter { $0 > now }.min()
    }
}
