/// What happens by itself as time passes: deadlines, timeouts, pauses, sweeps and polls (design, section 6).
extension Queue {
    /// How often the slow work is looked at.
    static let tick = Span.milliseconds(250)
    /// After how long a reservation is told to SQL readers; one that ends before is never written.
    static let annotateAfter = Span.milliseconds(500)
    static let pollEvery = Span.seconds(1)
    static let sweepLimit = 1000

    /// When `advance` has something to do at the latest.
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
        // Pauses first, timeouts of clients last: who waits as long as a pause lasts gets the job, as in beanstalkd.
        endPauses(now: now)
        finishClosing(now: now)
        deadlinesCame(now: now)
        while let first = timers.min, first.key <= now { timerWentOff(first.slot, now: now) }
        if epoch != 0, !isSweeping, nextSweep <= now {
            isSweeping = true
            nextSweep = .never
            awaitingSwept = awaitingSweep
            awaitingSweep = []
            ask(.sweep(limit: Queue.sweepLimit), .sweep, now: now)
        }
        if nextTick <= now {
            nextTick = now + Queue.tick
            tick(now: now)
        }
    }

    /// A delayed job will be due then.
    mutating func scheduleSweep(_ at: Instant) {
        nextSweep = min(nextSweep, at)
    }

    private mutating func tick(now: Instant) {
        while let id = unannounced.popFirst(before: now - Queue.annotateAfter) { announce(id) }
        forgetSQL(now: now)
        askPostponed(now: now)
        giveUpOldWrites(now: now)
        guard epoch != 0 else { return }
        // What other brokers and SQL have delayed or put, nobody tells us of.
        scheduleSweep(now + Queue.pollEvery)
        if nextLeaseEnd <= now, !isEndingLeases {
            nextLeaseEnd = now + Queue.pollEvery
            isEndingLeases = true
            ask(.endLeases, .endLeases, now: now)
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
            // Also where nobody waits: clients that ask again and again without waiting want to know too.
            tubes[slot].watching > 0 && !tubes[slot].cache.isRefilling && tubes[slot].pausedUntil == nil
                && tubes[slot].cache.heap.isEmpty ? tubes[slot].row : nil
        }
        guard !rows.isEmpty else { return }
        isPolling = true
        ask(.poll(rows), .poll, now: now)
    }

    /// Writes that have waited too long for the database: those that have not been sent are taken back and refused;
    /// of those whose fate is not known, nothing is said (invariant 7).
    private mutating func giveUpOldWrites(now: Instant) {
        let limit = now - configuration.databaseTimeout
        for kind in WriteKind.allCases {
            guard let batch = lanes[kind].inFlight, lanes[kind].inFlightSince + batch.sendingTime <= limit else {
                continue
            }
            lanes[kind].inFlightSince = .never
            for put in batch.puts { abandon(put.ticket) }
            for move in batch.moves { move.ticket.map { abandon($0) } }
            for delete in batch.deletes { abandon(delete.ticket) }
        }
        if queriesInFlightSince <= limit {
            queriesInFlightSince = .never
            for query in queriesInFlight { query.purpose.ticket.map { abandon($0) } }
        }
        for (query, _) in lapsed where query.issued <= limit { query.purpose.ticket.map { abandon($0) } }
        giveUpPending(limit, now: now)
        giveUpOrphans(limit, now: now)
        let old = queries.filter { $0.issued <= limit && $0.purpose.ticket != nil }
        guard !old.isEmpty else { return }
        queries.removeAll { $0.issued <= limit && $0.purpose.ticket != nil }
        for query in old { refused(query, now: now) }
    }

    private mutating func giveUpPending(_ limit: Instant, now: Instant) {
        for kind in WriteKind.ofPuts {
            // Behind a large body the wait is longer.
            let limit = limit - (lanes[kind].inFlight?.sendingTime ?? .seconds(0))
            let puts = lanes[kind].pending.puts.prefix { $0.issued <= limit }
            lanes[kind].pending.puts.removeFirst(puts.count)
            for put in puts { refused(put, .internalError, now: now) }
        }
        let moves = lanes.changes.pending.moves.filter { $0.issued <= limit && $0.ticket != nil }
        if !moves.isEmpty {
            lanes.changes.pending.moves.removeAll { $0.issued <= limit && $0.ticket != nil }
            for move in moves { refused(move.slot, move.wasHeld, move.ticket, now: now) }
        }
        let deletes = lanes.changes.pending.deletes.filter { $0.issued <= limit }
        if !deletes.isEmpty {
            lanes.changes.pending.deletes.removeAll { $0.issued <= limit }
            for delete in deletes { refused(delete.slot, delete.wasHeld, delete.ticket, now: now) }
        }
    }

    private mutating func giveUpOrphans(_ limit: Instant, now: Instant) {
        let old = orphanedPuts.prefix { $0.issued <= limit }
        orphanedPuts.removeFirst(old.count)
        for put in old { fail(put, now: now) }
    }

    /// The tube's row could not be made.
    mutating func failOrphans(of tube: Int, now: Instant) {
        let failed = orphanedPuts.filter { $0.tube == tube }
        orphanedPuts.removeAll { $0.tube == tube }
        for put in failed { fail(put, now: now) }
        adoptPuts(now: now)
    }

    private mutating func fail(_ put: OrphanedPut, now: Instant) {
        leftOrphans(put)
        putEnded(put.tube, delay: put.delay)
        tubeReleased(put.tube, now: now)
        endPut(put.body, put.ticket, .internalError, now: now)
    }
}
