/// The sums and relations that hold after each event: counts, bytes, pins, places in heaps and lists, and one home
/// per job.
///
/// The simulation, the fuzzers and debug builds of the broker check them. A check looks at everything in memory.
extension Queue {
    /// - Returns: the first relation found that does not hold; `nil` if all hold.
    public func brokenInvariant() -> String? {
        let check = InvariantCheck(self)
        return check.broken
    }

    /// Checks the invariants in a debug build: after each event while little is in memory, and less often when there
    /// is more, so that each event pays for a look at some 32 things.
    public mutating func checkInvariants() {
        schedule.eventsUntilCheck -= 1
        guard schedule.eventsUntilCheck <= 0 else { return }
        let writes = WriteKind.allCases.reduce(0) { $0 + lanes[$1].pending.count + (lanes[$1].inFlight?.count ?? 0) }
        let inMemory = connections.slots.count + tubes.slots.count + jobs.slots.count
        schedule.eventsUntilCheck = (inMemory + writes + puts.waiting.count + queries.waiting.count) / 32
        if let broken = brokenInvariant() { preconditionFailure("the queue is inconsistent: \(broken)") }
    }
}
