/// Queries are asked in order, answered in order, and refused in order (see `Query`).
extension Queue {
    /// Adds a query to those that wait. `ticket` is the reply that waits for the answer. The tube that is pinned
    /// exists until the answer has been given or refused.
    mutating func ask(_ query: Query, for ticket: Ticket? = nil, pinning tube: Int = -1, now: Instant) {
        ask(PendingQuery(query: query, ticket: ticket, tube: tube, issued: now))
    }

    mutating func ask(_ query: PendingQuery) {
        pinTube(of: query)
        queries.waiting.append(query)
    }

    private mutating func pinTube(of query: PendingQuery) { if query.tube >= 0 { pin(query.tube) } }

    private mutating func unpinTube(of query: PendingQuery) { if query.tube >= 0 { unpin(query.tube) } }

    var hasQueries: Bool { queries.inFlight.isEmpty && epoch != 0 && !queries.waiting.isEmpty }

    /// Queries that one transaction answers at most.
    static let maxQueries = 64

    /// The queries that have collected. The next ones are given out when these have been finished.
    public mutating func takeQueries(now: Instant) -> [PendingQuery] {
        guard hasQueries else { return [] }
        queries.inFlight = Array(queries.waiting.prefix(Queue.maxQueries))
        queries.waiting.removeFirst(queries.inFlight.count)
        if sharing == .ending {
            // A refill waits: which leases it may take is not decided.
            queries.waiting.insert(contentsOf: queries.inFlight.filter(\.isRefill), at: 0)
            queries.inFlight.removeAll(where: \.isRefill)
        }
        guard !queries.inFlight.isEmpty else { return [] }
        for at in queries.inFlight.indices {
            queries.inFlight[at].epoch = epoch
            queries.inFlight[at].query = renewed(queries.inFlight[at])
        }
        tubes.recount.isAlone = false
        queries.inFlightSince = now
        queries.epoch = epoch
        return queries.inFlight
    }

    /// The query as it is sent. What this broker is and knows may have changed since it was asked.
    private mutating func renewed(_ asked: PendingQuery) -> Query {
        switch asked.query {
        // The lease of a sole broker's job may be on its way to the row.
        case .fetch(let id, _): .fetch(id, isSole: sharing != .shared)
        // The query may have been asked before the policies were known.
        case .delete(let id, _): .delete(id, isRecorded: tubes.policies.keepHistory)
        case .refill: renewedRefill(asked.tube) ?? asked.query
        default: asked.query
        }
    }

    // MARK: Answers

    /// The answers, one for each query that was taken.
    public mutating func finish(_ asked: [PendingQuery], _ answers: [Answer], now: Instant) {
        precondition(asked.count == answers.count, "an answer is missing")
        // If the queries without an answer were fenced, `fenced` is called next.
        queries.inFlight.removeFirst(min(asked.count, queries.inFlight.count))
        queries.inFlightSince = .never
        guard queries.epoch == epoch else { return finishStale(asked, answers, now: now) }
        finish(Array(zip(asked, answers)), now: now)
    }

    /// Each answer is a step of its own.
    mutating func finish(_ answers: [(query: PendingQuery, answer: Answer)], now: Instant) {
        for (query, answer) in answers {
            finish(query, answer, now: now)
            conclude(now: now)
        }
    }

    /// The epoch has died since: leases that the queries took are void, and the counts have been read anew.
    private mutating func finishStale(_ asked: [PendingQuery], _ answers: [Answer], now: Instant) {
        membership.isStale = true
        for (query, answer) in zip(asked, answers) {
            switch (query.query, answer) {
            case (.refill, .rows), (.reserve, .rows), (.fetch, .body), (.openTube, .tube), (.pause, .tube):
                queries.waiting += refuseLost(of: [query], now: now)
            default: finish(query, answer, now: now)
            }
        }
        membership.isStale = false
        conclude(now: now)
    }

    /// The epoch was dead when the queries were asked: nothing was done.
    public mutating func fenced(_ asked: [PendingQuery], now: Instant) {
        queries.inFlight = []
        queries.inFlightSince = .never
        if queries.epoch == epoch { loseEpoch(now: now) }
        // They can be asked again under the next epoch, in the same order.
        queries.waiting.insert(contentsOf: refuseLost(of: asked, now: now), at: 0)
        conclude(now: now)
    }

    /// Of queries that were asked under an earlier epoch, those that can be asked again. The others are refused: they
    /// name a tube by a row that may be another tube's by now.
    mutating func refuseLost(of asked: [PendingQuery], now: Instant) -> [PendingQuery] {
        asked.filter { query in
            guard query.query.rows.contains(where: tubes.rows.lost.contains) else { return true }
            refused(query, now: now)
            return false
        }
    }

    mutating func finish(_ asked: PendingQuery, _ answer: Answer, now: Instant) {
        let ticket = asked.ticket
        switch (asked.query, answer) {
        case (_, .refused(.busy)) where asked.isAskedAgain: return postpone(asked, now: now)
        case (.putUnique(let put), .refused(.tubeGone)): putAgain(asked, put, now: now)
        case (_, .refused(let refusal)): return refused(asked, refusal, now: now)
        case (.reserve, .rows) where now >= epochValidUntil, (.fetch, .body) where now >= epochValidUntil:
            return queries.answersAwaitingRenewal.append((asked, answer))
        case (.refill, .rows(let rows)): refilled(asked.tube, with: rows, asked: asked.query, now: now)
        case (.poll, .keys(let keys)): polled(keys)
        case (.sweep, .swept(let readied, let more, let nextDue)):
            swept(readied, more: more, nextDue: nextDue, now: now)
        case (.endLeases, .done): schedule.isEndingLeases = false
        case (.fetch(let id, _), .body(let body)): fetched(id, asked, body, now: now)
        case (.reserve, .rows(let rows)) where isOfUnknownTube(rows),
            (.job, .rows(let rows)) where isOfUnknownTube(rows):
            // The answer is kept and not asked for again: a reserved job has been leased with it.
            return queries.answersAwaitingTubes.append((asked, answer))
        case (.reserve(let id), .rows(let rows)): reserved(id, ticket, rows, now: now)
        case (.delete(let id, _), .rows(let rows)): deleted(id, ticket, rows, now: now)
        case (.kick, .readied(let readied)): kicked(asked, readied, now: now)
        case (.kickJob(let id), .readied(let readied)):
            noteKicks(readied)
            ready(readied)
            endUndecided(id, isUnchanged: readied.isEmpty, now: now)
            fill(ticket, readied.isEmpty ? .notFound : .kickedJob)
        case (.first(_, .ready, _), .rows(let rows)): peekedReady(ticket, tube: asked.tube, rows, now: now)
        case (.first, .rows(let rows)), (.peek, .rows(let rows)): peeked(ticket, rows)
        case (.job, .rows(let rows)): looked(ticket, rows)
        case (.tube(let name, nil), .tubes(let rows)): foundTube(ticket, name, rows.first, now: now)
        case (.tube(let name, let seconds?), .tubes(let rows)):
            foundTubeToPause(ticket, name, rows.first, seconds: seconds, now: now)
        case (.openTube, .tube(let row, let isNew)): opened(asked.tube, row, isNew: isNew, now: now)
        case (.pause(_, let seconds), .tube(let row, let isNew)):
            // A pause without a tube has ended the pause of one that is gone.
            guard asked.tube >= 0 else { return }
            if tubes[asked.tube].row == nil { setOpened(asked.tube, row, isNew: isNew) }
            paused(asked.tube, seconds: seconds, now: now)
            fill(ticket, .paused)
        case (.putUnique(let put), .put(let outcome)): finishUnique(asked, put, outcome, now: now)
        default: preconditionFailure("an answer of another kind")
        }
        unpinTube(of: asked)
    }

    // MARK: Refusals

    /// A SQL session has locked what the query asks for. The query is asked again in a moment, until it is too old.
    private mutating func postpone(_ query: PendingQuery, now: Instant) {
        queries.postponed.append(query)
        schedule.nextTick = min(schedule.nextTick, now + .milliseconds(50))
        if case .openTube = query.query { openingBlocked(query.tube, now: now) }
    }

    mutating func askPostponed(now: Instant) {
        guard !queries.postponed.isEmpty else { return }
        let waiting = queries.postponed
        queries.postponed = []
        queries.waiting += refuseLost(of: waiting, now: now)
    }

    /// Nothing was done, or the query was not even sent.
    mutating func refused(_ asked: PendingQuery, _ refusal: Refusal = .failed, now: Instant) {
        let tube = asked.tube
        unpinTube(of: asked)
        switch asked.query {
        case .refill: refillFailed(tube)
        case .poll: schedule.isPolling = false
        case .sweep:
            schedule.isSweeping = false
            serveSwept()
            scheduleSweep(now + .seconds(1))
        case .endLeases: schedule.isEndingLeases = false
        case .openTube:
            tubes[tube].isOpening = false
            tubes[tube].isOpeningBlocked = false
            failWaitingPuts(of: tube, now: now)
        case .reserve(let id), .delete(let id, _), .kickJob(let id):
            endUndecided(id, isUnchanged: true, now: now)
        case .fetch(let id, _):
            // Without its body nobody holds the job.
            if let job = held(id, for: asked.ticket) {
                unhold(job)
                giveBack(job, now: now)
            }
        case .putUnique(let put): return endPut(put.job, of: tube, asked.ticket, refusal.replyToPut)
        case .kick, .first, .pause, .peek, .job, .tube: break
        }
        fill(asked.ticket, .internalError)
    }
}
