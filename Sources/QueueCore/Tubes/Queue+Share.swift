/// How many jobs a broker leases ahead of its clients beside other brokers and SQL sessions
/// (docs/ARCHITECTURE.md, Several brokers).
extension Queue {
    /// Jobs that are leased ahead in a tube for which nobody else waits. To give them back takes one batch.
    static let aheadLimit = 1024

    /// How many ready jobs of the tube this broker may have.
    ///
    /// Alone, all. Else what waiting clients will have at once, and beyond that what clients come back for soon: not more
    /// than they have got in the last two ticks, so that a job lies unused for two ticks at most. If others wait for the
    /// tube too, that is one job for each client that is busy; if not, what clients take in a second.
    func share(of tube: Int) -> Int {
        if isAlone { return .max }
        let waiting = tubes[tube].waiting
        if sql.isRecalling { return waiting }
        let taken = max(tubes[tube].taken, tubes[tube].takenBefore)
        guard tubes[tube].isAwaitedElsewhere || sql.isSharing else {
            return waiting + min(4 * taken, Queue.aheadLimit)
        }
        let busy = tubes[tube].inMemory - tubes[tube].cache.heap.count
        return waiting + min(busy, taken)
    }

    /// Gives back what is beyond the shares.
    mutating func giveBackSurplus(now: Instant) {
        guard !isAlone else { return }
        for slot in tubes.active where tubes[slot].cache.heap.count > share(of: slot) {
            giveBackCache(slot, keeping: share(of: slot), now: now)
        }
    }

    /// Called once a tick.
    mutating func renewShares(now: Instant) {
        guard !isAlone else { return }
        for slot in tubes.active {
            tubes[slot].takenBefore = tubes[slot].taken
            tubes[slot].taken = 0
        }
        giveBackSurplus(now: now)
    }

    /// A client here gets a job of the tube.
    @inline(__always)
    mutating func noteTaken(_ tube: Int) {
        guard !isAlone else { return }
        tubes[tube].taken += 1
        tubes[tube].idlePolls = 0
        publishWait(tube)
    }

    /// The tubes for which clients of other brokers wait, or did a moment ago.
    public mutating func othersAwait(_ names: Set<TubeName>, now: Instant) {
        guard names != tubes.awaitedElsewhere else { return }
        tubes.othersAwait(names)
        giveBackSurplus(now: now)
        conclude(now: now)
    }
}
