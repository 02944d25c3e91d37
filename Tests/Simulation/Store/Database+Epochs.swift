@testable import QueueCore

/// The keeper's statements, and the look-up of the ledger, naively.
extension Database {
    /// After which silence a broker may be declared dead.
    static let silence = Span.milliseconds(3500)

    func register(at now: Instant = Instant(nanoseconds: 0)) -> Int64 {
        lastEpoch += 1
        epochs.insert(lastEpoch)
        heartbeats[lastEpoch] = now
        sql.answered[lastEpoch] = sql.summons
        becomeSole(lastEpoch)
        return lastEpoch
    }

    @discardableResult
    func becomeSole(_ epoch: Int64) -> Bool {
        let isUsedBySQL = sql.open > 0 || !sql.leases.isEmpty
        guard epochs == [epoch], !isUsedBySQL || mistake == .soleBesideSQL else { return false }
        sole = epoch
        return true
    }

    /// Whether the broker is the sole one; `nil` when it is dead.
    func beat(_ epoch: Int64, at now: Instant) -> Bool? {
        guard epochs.contains(epoch) else { return nil }
        heartbeats[epoch] = now
        return sole == epoch
    }

    /// Declares others dead that were silent for too long, or that are known to have ended.
    func bury(by epoch: Int64, ended: (Int64) -> Bool, at now: Instant) -> (dead: Int, living: Set<Int64>) {
        let silence = mistake == .buriesEarly ? Span.milliseconds(1700) : Database.silence
        let dead = epochs.filter { $0 != epoch && (ended($0) || (heartbeats[$0] ?? now) + silence < now) }
        for epoch in dead { unregister(epoch) }
        return (dead.count, epochs.subtracting([epoch]))
    }

    func unregister(_ epoch: Int64) {
        epochs.remove(epoch)
        heartbeats[epoch] = nil
        for tube in awaited.keys { awaited[tube]?.remove(epoch) }
        left[epoch] = nil
        if sole == epoch { sole = nil }
    }

    /// Whether a broker other than this one has to give up being the sole one first.
    func mustWait(_ epoch: Int64) -> Bool { sole.map { $0 != epoch } ?? false }

    /// Whether a transaction whose answer was lost has committed; if not, it never will.
    func lookUp(_ key: LedgerKey) -> Bool {
        if mistake == .lookUpGuesses { return true }
        if let entry = ledger[key] { return entry == .batch || mistake == .lookUpMeetsItself }
        if mistake != .lookUpClaimsNothing { ledger[key] = .claim }
        return false
    }
}

extension Database {
    /// The server crashes: what is committed stays.
    func crash(at now: Instant) {
        for prepared in open { rollBack(prepared, at: now) }
        // The table is not logged.
        left = [:]
        if mistake == .crashLosesCommits {
            for row in rows.values where row.change.number > change.number - 2 && row.change.epoch != 0 {
                rows[row.id] = nil
            }
        }
    }
}
