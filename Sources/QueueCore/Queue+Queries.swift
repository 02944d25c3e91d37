/// Queries: asked in order, answered in order.
extension Queue {
    mutating func ask(_ query: Query, _ purpose: Purpose, now: Instant) {
        queries.append(PendingQuery(query: query, purpose: purpose, issued: now))
    }

    public var hasQueries: Bool { queriesInFlight.isEmpty && epoch != 0 && !queries.isEmpty }

    /// Queries that one transaction answers at most.
    static let maxQueries = 64

    /// The queries that have collected; the next are given out when these have been finished.
    public mutating func takeQueries(now: Instant) -> [PendingQuery] {
        guard hasQueries else { return [] }
        queriesInFlight = Array(queries.prefix(Queue.maxQueries))
        queries.removeFirst(queriesInFlight.count)
        if sharing == .ending {
            // What a refill may take is not settled: it waits.
            queries.insert(contentsOf: queriesInFlight.filter(\.isRefill), at: 0)
            queriesInFlight.removeAll(where: \.isRefill)
        }
        guard !queriesInFlight.isEmpty else { return [] }
        for at in queriesInFlight.indices {
            queriesInFlight[at].epoch = epoch
            queriesInFlight[at].query = renewed(queriesInFlight[at])
        }
        isCountedAlone = false
        queriesInFlightSince = now
        queriesEpoch = epoch
        return queriesInFlight
    }

    /// The answers, one for each query that was taken.
    public mutating func finish(_ asked: [PendingQuery], _ answers: [Answer], now: Instant) {
        precondition(asked.count == answers.count, "an answer is missing")
        queriesInFlight = []
        queriesInFlightSince = .never
        guard queriesEpoch == epoch else { return finishStale(asked, answers, now: now) }
        for (query, answer) in zip(asked, answers) { finish(query, answer, now: now) }
    }

    /// The epoch has died since: leases that were taken are void, and counts have been read anew.
    private mutating func finishStale(_ asked: [PendingQuery], _ answers: [Answer], now: Instant) {
        isStale = true
        for (query, answer) in zip(asked, answers) {
            switch (query.query, answer) {
            case (.refill, .rows), (.reserve, .rows), (.fetch, .body), (.openTube, .tube), (.pause, .tube):
                queries += refuseLost(of: [query], now: now)
            default: finish(query, answer, now: now)
            }
        }
        isStale = false
    }

    /// The epoch was dead when the queries were asked: nothing was done.
    public mutating func fenced(_ asked: [PendingQuery], now: Instant) {
        queriesInFlight = []
        queriesInFlightSince = .never
        if queriesEpoch == epoch { detach(now: now) }
        // Whatever they wanted can be asked again under the next epoch, and in the same order.
        queries.insert(contentsOf: refuseLost(of: asked, now: now), at: 0)
    }

    /// Of queries that were asked under an earlier epoch those that can still be asked: they may name a tube by a row
    /// that is another tube's now.
    mutating func refuseLost(of asked: [PendingQuery], now: Instant) -> [PendingQuery] {
        asked.filter { query in
            guard query.query.rows.contains(where: lostRows.contains) else { return true }
            refused(query, now: now)
            return false
        }
    }

    mutating func finish(_ asked: PendingQuery, _ answer: Answer, now: Instant) {
        switch (asked.purpose, answer) {
        case (.nothing, _): break
        case (let purpose, .refused(.busy)) where purpose.isAskedAgain: postpone(asked, now: now)
        case (.putUnique(let ticket, let tube), .refused(.tubeGone)): orphan(asked, ticket, tube: tube, now: now)
        case (.reserve, .rows) where now >= epochValidUntil: lapsed.append((asked, answer))
        case (.fetch, .body) where now >= epochValidUntil: lapsed.append((asked, answer))
        case (.refill(let tube), .rows(let rows)): refilled(tube, with: rows, asked: asked.query, now: now)
        case (.poll, .keys(let keys)): polled(keys, now: now)
        case (.sweep, .swept(let readied, let more, let nextDue)):
            swept(readied, more: more, nextDue: nextDue, now: now)
        case (.endLeases, .done): isEndingLeases = false
        case (.fetch(let id, let ticket, let isNamed), .body(let body)):
            fetched(id, ticket, isNamed: isNamed, body, now: now)
        case (.reserve, .rows(let rows)) where isStrange(rows), (.stats, .rows(let rows)) where isStrange(rows):
            // A job that was reserved has been leased for it: it is not asked for again.
            strangers.append((asked, answer))
        case (.reserve(let id, let ticket), .rows(let rows)): reserved(id, ticket, rows, now: now)
        case (.delete(let id, let ticket), .rows(let rows)): deleted(id, ticket, rows, now: now)
        case (.kick(let ticket, let tube, let bound, let done), .readied(let readied)):
            kicked(ticket, tube: tube, bound: bound, done: done, readied, now: now)
        case (.kickJob(let id, let ticket), .readied(let readied)):
            ready(readied, now: now)
            leaveLimbo(id, isUnchanged: readied.isEmpty, now: now)
            fill(ticket, readied.isEmpty ? .notFound : .kickedJob, now: now)
        case (.peek(let ticket), .rows(let rows)): peeked(ticket, rows, now: now)
        case (.peekReady(let ticket, let tube), .rows(let rows)): peekedReady(ticket, tube: tube, rows, now: now)
        case (.stats(let ticket), .rows(let rows)): looked(ticket, rows, now: now)
        case (.openTube(let tube), .tube(let row, let isNew)): opened(tube, row, isNew: isNew, now: now)
        case (.pause(let ticket, let tube, let seconds), .tube(let row, let isNew)):
            if tubes[tube].row == nil { setOpened(tube, row, isNew: isNew) }
            paused(tube, seconds: seconds, now: now)
            tubes[tube].pins -= 1
            tubeReleased(tube, now: now)
            fill(ticket, .paused, now: now)
        case (.putUnique(let ticket, let tube), .put(let outcome)):
            guard case .putUnique(let put) = asked.query else { preconditionFailure("not a put") }
            finishUnique(asked, put, ticket, tube: tube, outcome, now: now)
        case (_, .refused(let refusal)): refused(asked, refusal, now: now)
        default: preconditionFailure("an answer of another kind")
        }
    }

    /// Somebody has locked what is asked for: the query has its turn again in a moment, until it is too old.
    mutating func postpone(_ query: PendingQuery, now: Instant) {
        postponed.append(query)
        nextTick = min(nextTick, now + .milliseconds(50))
        if case .openTube(let tube) = query.purpose { heldUp(tube, now: now) }
    }

    mutating func askPostponed(now: Instant) {
        guard !postponed.isEmpty else { return }
        let waiting = postponed
        postponed = []
        queries += refuseLost(of: waiting, now: now)
    }

    /// Nothing was done, or not even asked.
    mutating func refused(_ asked: PendingQuery, _ refusal: Refusal = .failed, now: Instant) {
        switch asked.purpose {
        case .nothing: break
        case .refill(let tube): refillFailed(tube, now: now)
        case .poll: isPolling = false
        case .sweep:
            isSweeping = false
            serveSwept(now: now)
            scheduleSweep(now + .seconds(1))
        case .endLeases: isEndingLeases = false
        case .openTube(let tube):
            tubes[tube].isOpening = false
            tubes[tube].isHeldUp = false
            tubes[tube].pins -= 1
            failOrphans(of: tube, now: now)
        case .reserve(let id, _), .delete(let id, _), .kickJob(let id, _):
            leaveLimbo(id, isUnchanged: true, now: now)
        case .kick(_, let tube, _, _), .peekReady(_, let tube), .pause(_, let tube, _):
            tubes[tube].pins -= 1
            tubeReleased(tube, now: now)
        case .fetch(let id, let ticket, _):
            // Nobody has it in hand without its body.
            if let job = held(id, for: ticket) {
                unhold(job)
                giveBack(job, now: now)
            }
        case .putUnique(let ticket, let tube):
            guard case .putUnique(let put) = asked.query else { preconditionFailure("not a put") }
            return refusedUnique(put, ticket, tube: tube, refusal.replyToPut, now: now)
        case .peek, .stats: break
        }
        if let ticket = asked.purpose.ticket { fill(ticket, .internalError, now: now) }
    }

    /// Whether a row is of a tube that has only just been made by somebody else.
    private mutating func isStrange(_ rows: [JobRow]) -> Bool {
        rows.first.map { $0.flaw == nil && tube(ofRow: $0.tube) == nil } ?? false
    }

    private mutating func deleted(_ id: JobID, _ ticket: Ticket, _ rows: [JobRow], now: Instant) {
        if let row = rows.first, let tube = tubeSlotsByRow[row.tube] {
            if !isStale { count(tube, -1, row.state, priority: row.priority) }
            tubes[tube].deletes += 1
            tubeReleased(tube, now: now)
        }
        leaveLimbo(id, isUnchanged: rows.isEmpty, now: now)
        fill(ticket, rows.isEmpty ? .notFound : .deleted, now: now)
    }

    private mutating func fetched(
        _ id: JobID, _ ticket: Ticket, isNamed: Bool, _ body: Body?, now: Instant
    ) {
        guard let body else {
            // The row has gone from under the lease.
            if let job = held(id, for: ticket) {
                unhold(job)
                lookFor(job, now: now)
            }
            return isNamed ? fill(ticket, .notFound, now: now) : giveAnother(ticket, now: now)
        }
        guard held(id, for: ticket) != nil else {
            // Its time to run was over before its body came: somebody else may have deleted it.
            return fill(ticket, .internalError, now: now)
        }
        fill(ticket, .reserved(id, body), now: now)
    }

    /// The job that a client was about to get is none: it gets the next one, if that is known.
    private mutating func giveAnother(_ ticket: Ticket, now: Instant) {
        guard isOpen(ticket.connection), case .job(let job) = choose(ticket.connection.slot, now: now) else {
            return fill(ticket, .internalError, now: now)
        }
        uncache(job)
        hold(job, by: ticket.connection.slot, now: now)
        let id = jobs[job].key.id
        guard let body = jobs[job].body else {
            return ask(.fetch(id, isSole: sharing != .shared), .fetch(id, ticket, isNamed: false), now: now)
        }
        jobs[job].body = nil
        fill(ticket, .reserved(id, body), now: now)
    }

    /// The job whose body a client waits for, unless that client is gone: another may have its slot, and the job.
    private func held(_ id: JobID, for ticket: Ticket) -> Int? {
        guard isOpen(ticket.connection), let job = jobSlots[id], jobs[job].phase == .held,
            jobs[job].owner == ticket.connection.slot
        else { return nil }
        return job
    }

    private mutating func opened(_ tube: Int, _ row: TubeID, isNew: Bool, now: Instant) {
        tubes[tube].isOpening = false
        tubes[tube].isHeldUp = false
        setOpened(tube, row, isNew: isNew)
        adoptPuts(now: now)
        tubes[tube].pins -= 1
        match(tube, isNews: true, now: now)
        tubeReleased(tube, now: now)
    }

    private mutating func setOpened(_ tube: Int, _ row: TubeID, isNew: Bool) {
        setRow(tube, row)
        if isNew { tellOthers(ofNew: row) }
        // Also when it is new: others may have put into it before the answer came. While there are none, nothing is
        // missing here, and what is put before somebody watches need not be read back.
        if !isNew || sharing != .sole { tubes[tube].cache.note(.first) }
    }

    private mutating func polled(_ keys: [(tube: TubeID, key: JobKey)], now: Instant) {
        isPolling = false
        for (row, key) in keys {
            if let tube = tubeSlotsByRow[row] { note(tube, key, now: now) }
        }
    }

    private mutating func swept(_ readied: [Readied], more: Bool, nextDue: Int64?, now: Instant) {
        isSweeping = false
        ready(readied, now: now)
        serveSwept(now: now)
        if more || !awaitingSweep.isEmpty {
            scheduleSweep(now)
        } else if let nextDue {
            scheduleSweep(now + max(Span.microseconds(nextDue), .milliseconds(1)))
        }
    }
}
