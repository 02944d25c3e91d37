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
        guard connections.closing.isEmpty else { return Instant(nanoseconds: 0) }
        var next = schedule.nextTick
        if let deadline = jobs.deadlines.min { next = min(next, deadline.key) }
        if let timer = connections.timers.min { next = min(next, timer.key) }
        if !schedule.isSweeping, epoch != 0 { next = min(next, schedule.nextSweep) }
        return min(next, tubes.pauses.nextEnd)
    }

    public mutating func advance(to now: Instant) {
        // Pauses first, timeouts of clients last: a client that waits for as long as a pause lasts gets the job, as
        // in beanstalkd.
        endPauses(now: now)
        conclude(now: now)
        finishClosing(now: now)
        deadlinesCame(now: now)
        while let first = connections.timers.min, first.key <= now { timerWentOff(first.slot, now: now) }
        if epoch != 0, !schedule.isSweeping, schedule.nextSweep <= now {
            schedule.isSweeping = true
            schedule.nextSweep = .never
            schedule.waitersForSweepInFlight = schedule.waitersForNextSweep
            schedule.waitersForNextSweep = []
            ask(.sweep(limit: Queue.sweepLimit), now: now)
        }
        if schedule.nextTick <= now {
            schedule.nextTick = now + Queue.tick
            tick(now: now)
        }
        conclude(now: now)
    }

    /// A delayed job is due at that time.
    mutating func scheduleSweep(_ at: Instant) {
        schedule.nextSweep = min(schedule.nextSweep, at)
    }

    private mutating func tick(now: Instant) {
        while let id = jobs.unannotated.popFirst(before: now - Queue.annotateAfter) { annotateReservation(id) }
        endSQLSharing(now: now)
        renewShares(now: now)
        askPostponed(now: now)
        giveUpOldWrites(now: now)
        guard epoch != 0 else { return }
        // Nobody tells this broker what other brokers and SQL have delayed.
        scheduleSweep(now + Queue.pollEvery)
        if schedule.nextLeaseEnd <= now, !schedule.isEndingLeases {
            schedule.nextLeaseEnd = now + Queue.pollEvery
            schedule.isEndingLeases = true
            ask(.endLeases, now: now)
        }
        if schedule.nextPoll <= now, !schedule.isPolling {
            schedule.nextPoll = now + Queue.pollEvery
            poll(now: now)
            withdrawIdleWaits()
            for slot in tubes.active {
                guard let since = tubes[slot].cache.idleSince, since + Queue.cacheLinger <= now else { continue }
                tubes[slot].cache.idleSince = nil
                giveBackCache(slot, keeping: 0, now: now)
            }
            tubes.deactivateIdle()
        }
    }

    private mutating func poll(now: Instant) {
        for slot in tubes.active where tubes[slot].waiting > 0 && tubes[slot].pausedUntil == nil {
            // A refill that was refused is tried again.
            if case .unknown = tubes[slot].front { refill(slot, now: now) }
        }
        let rows = tubes.active.compactMap { slot in
            // Also of tubes for which nobody waits: clients may ask again and again without waiting.
            tubes[slot].watching > 0 && !tubes[slot].cache.isRefilling && tubes[slot].pausedUntil == nil
                && tubes[slot].cache.heap.isEmpty ? tubes[slot].row : nil
        }
        guard !rows.isEmpty else { return }
        schedule.isPolling = true
        ask(.poll(rows), now: now)
    }
}
