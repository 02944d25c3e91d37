@testable import QueueCore

/// The keeper's statements, and the look-up in the ledger, done naively.
extension Database {
    /// After this silence a broker may be declared dead.
    static let silence = Span.milliseconds(3500)

    func register(at now: Instant = Instant(nanoseconds: 0)) -> Int64 {
        lastEpoch += 1
        epochs.insert(lastEpoch)
        beats[lastEpoch] = 0
        heartbeats[lastEpoch] = clock(now)
        sql.answered[lastEpoch] = sql.recall
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
        beats[epoch, default: 0] += 1
        heartbeats[epoch] = clock(now)
        return sole == epoch
    }

    /// The last heartbeats of the others.
    func beats(besides epoch: Int64) -> [Int64: Int64] { beats.filter { $0.key != epoch } }

    /// Brokers that have been silent for too long by the database's clock, which must not decide.
    func lateByClock(at now: Instant) -> [Int64] {
        heartbeats.filter { $0.value + Database.silence < clock(now) }.keys.sorted()
    }

    /// Declares brokers dead unless their heartbeats have moved since.
    func declareDead(_ silent: [Int64: Int64]) -> Set<Int64> {
        let dead = Set(silent.filter { beats[$0.key] == $0.value }.keys)
        for epoch in dead { unregister(epoch) }
        return dead
    }

    func unregister(_ epoch: Int64) {
        epochs.remove(epoch)
        beats[epoch] = nil
        heartbeats[epoch] = nil
        for tube in awaited.keys { awaited[tube]?.remove(epoch) }
        noticesFor[epoch] = nil
        if sole == epoch { sole = nil }
    }

    /// Whether another broker has to end being the sole one first.
    func mustWait(_ epoch: Int64) -> Bool { sole.map { $0 != epoch } ?? false }

    /// Whether a transaction whose answer was lost has committed. If not, it never will.
    func lookUp(_ key: LedgerKey) -> Bool {
        if mistake == .lookUpGuesses { return true }
        if let entry = ledger[key] { return entry == .batch || mistake == .lookUpMeetsItself }
        if mistake != .lookUpClaimsNothing { ledger[key] = .claim }
        return false
    }
}

extension Database {
    /// The server crashes. What is committed stays.
    func crash(at now: Instant) {
        for prepared in open { rollBack(prepared, at: now) }
        // The table of notices is unlogged.
        noticesFor = [:]
        if mistake == .crashLosesCommits {
            for row in rows.values where row.change.number > change.number - 2 && row.change.epoch != 0 {
                rows[row.id] = nil
            }
        }
    }
}
