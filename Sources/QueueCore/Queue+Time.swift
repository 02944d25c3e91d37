/// What happens as time passes: deadlines, timeouts, pauses, sweeps and polls.
extension Queue {
    /// How often the slow work is done.
    static let tick = Span.milliseconds(250)
    /// How long a reservation lasts until it is written to the row. One that ends sooner is never written.
    static let annotateAfter = Span.milliseconds(500)
    static let pollEvery = Span.seconds(1)
    static let sweepLimit = 1000

    /// The latest time at which `advance` has something to do.
    public var nextDeadline: Instant {
        // At once.
        guard closing.isEmpty else { return Instant(nanoseconds: 0) }
        var next = nextTick
        if let deadline = deadlines.min { next = min(next, deadline.key) }
        if let timer = timers.min { next = min(next, timer.key) }
        if !isSweeping, epoch != 0 { next = min(next, nextSweep) }
        return min(next, nextPauseEnd)
    }

    public mutating func advance(to now: Instant) {
        // Pauses first, timeouts of clients last: a client that waits for as long as a pause lasts gets the job, as
        // in beanstalkd.
        endPauses(now: now)
        conclude(now: now)
        finishClosing(now: now)
        deadlinesCame(now: now)
        while let first = timers.min, first.key <= now { timerWentOff(first.slot, now: now) }
        if epoch != 0, !isSweeping, nextSweep <= now {
            isSweeping = true
            nextSweep = .never
            waitersForSweepInFlight = waitersForNextSweep
            waitersForNextSweep = []
            ask(.sweep(limit: Queue.sweepLimit), now: now)
        }
        if nextTick <= now {
            nextTick = now + Queue.tick
            tick(now: now)
        }
        conclude(now: now)
    }

    /// A delayed job is due at that time.
    mutating func scheduleSweep(_ at: Instant) {
        nextSweep = min(nextSweep, at)
    }

    private mutating func tick(now: Instant) {
        while let id = unannotated.popFirst(before: now - Queue.annotateAfter) { annotateReservation(id) }
        endSQLSharing(now: now)
        askPostponed(now: now)
        giveUpOldWrites(now: now)
        guard epoch != 0 else { return }
        // Nobody tells this broker what other brokers and SQL have delayed.
        scheduleSweep(now + Queue.pollEvery)
        if nextLeaseEnd <= now, !isEndingLeases {
            nextLeaseEnd = now + Queue.pollEvery
            isEndingLeases = true
            ask(.endLeases, now: now)
        }
        if nextPoll <= now, !isPolling {
            nextPoll = now + Queue.pollEvery
            poll(now: now)
            withdrawIdleWaits()
            if !isAlone { giveBackSurplus(now: now) }
            for slot in active {
                guard let since = tubes[slot].cache.idleSince, since + Queue.cacheLinger <= now else { continue }
                tubes[slot].cache.idleSince = nil
                giveBackCache(slot, keeping: 0, now: now)
            }
            deactivateIdle()
        }
    }

    private mutating func poll(now: Instant) {
        for slot in active where tubes[slot].waiting > 0 && tubes[slot].pausedUntil == nil {
            // A refill that was refused is tried again.
            if case .unknown = tubes[slot].front { refill(slot, now: now) }
        }
        let rows = active.compactMap { slot in
            // Also of tubes for which nobody waits: clients may ask again and again without waiting.
            tubes[slot].watching > 0 && !tubes[slot].cache.isRefilling && tubes[slot].pausedUntil == nil
                && tubes[slot].cache.heap.isEmpty ? tubes[slot].row : nil
        }
        guard !rows.isEmpty else { return }
        isPolling = true
        ask(.poll(rows), now: now)
    }
}
