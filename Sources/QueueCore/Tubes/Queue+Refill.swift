/// Refills: the reads of a tube's ready jobs from the horizon on (docs/ARCHITECTURE.md, The priority cache).
extension Queue {
    /// Asks for the ready jobs from the horizon on.
    mutating func refill(_ tube: Int, now: Instant) {
        guard epoch != 0, let row = tubes[tube].row, !tubes[tube].cache.isRefilling else { return }
        tubes[tube].cache.isRefilling = true
        tubes.activate(tube)
        ask(refillQuery(tube, row), pinning: tube, now: now)
    }

    /// Asks for the next page before the last known job is given out, so that nobody waits for it.
    mutating func refillAhead(_ tube: Int, now: Instant) {
        // Before it is the sole one, or while it ends to be, a broker takes no leases that it may not need.
        guard tubes[tube].cache.horizon != .end, !tubes[tube].cache.isRefilling,
            sharing == .sole || sharing == .shared && !isAlone,
            tubes[tube].cache.heap.count < min(tubes[tube].cache.chunk, share(of: tube)) / 4
        else { return }
        refill(tube, now: now)
    }

    /// Bytes that the body of a job that is not known yet is taken to have.
    private static var expectedBody: Int { jobOverhead }

    private func refillQuery(_ tube: Int, _ row: TubeID) -> Query {
        let hungry = max(1, tubes[tube].waiting)
        let room = max(0, configuration.cacheBytes - jobs.cachedBytes) / (Queue.jobOverhead + Queue.expectedBody)
        let limit = max(hungry, min(tubes[tube].cache.chunk, room, share(of: tube) - tubes[tube].cache.heap.count))
        return .refill(
            tube: row, from: tubes[tube].cache.horizon, limit: min(limit, ReadyCache.largestChunk),
            bodyLimit: Queue.refillBodyLimit, sharing == .sole ? .none : .free)
    }

    /// The refill as it is sent; `nil` when the tube has no row any more. Which rows it claims depends on what this
    /// broker is now. Whatever becomes known from here on may be missing from the answer.
    mutating func renewedRefill(_ tube: Int) -> Query? {
        guard let row = tubes[tube].row else { return nil }
        tubes[tube].cache.missed = .end
        tubes[tube].cache.settledMeanwhile = []
        tubes[tube].cache.isReading = sharing == .sole
        tubes[tube].cache.isVoid = false
        return refillQuery(tube, row)
    }

    mutating func refilled(_ tube: Int, with rows: [JobRow], asked query: Query, now: Instant) {
        guard case .refill(_, _, let limit, _, let claim) = query else { preconditionFailure("not a refill") }
        guard !tubes[tube].cache.isVoid else {
            refillFailed(tube)
            return markNews(tube)
        }
        tubes[tube].cache.isRefilling = false
        let settled = tubes[tube].cache.settledMeanwhile
        for row in rows where row.flaw == nil && (claim == .free || !isLeasedPutInFlight(row.id)) {
            if claim == .none, settled.contains(row.id) {
                // The row may be older than the change, or younger: it is read once more.
                tubes[tube].cache.missed = min(tubes[tube].cache.missed, row.key)
            } else {
                adopt(row, tube: tube, claim, now: now)
            }
        }
        let reached = rows.count == limit ? rows[rows.count - 1].key.next : JobKey.end
        let horizon = min(reached, tubes[tube].cache.missed)
        tubes[tube].cache.horizon = horizon
        if rows.count == limit {
            tubes[tube].cache.chunk = min(tubes[tube].cache.chunk * 2, ReadyCache.largestChunk)
        }
        markNews(tube)
        // Of all tubes: a client that is served now may have waited for several.
        if sql.isRecalling { markSurplus() }
    }

    mutating func refillFailed(_ tube: Int) {
        tubes[tube].cache.isRefilling = false
        tubes[tube].cache.horizon = min(tubes[tube].cache.horizon, tubes[tube].cache.missed)
    }

    /// A row that a refill has returned and whose lease this broker has.
    private mutating func adopt(_ row: JobRow, tube: Int, _ claim: Claim, now: Instant) {
        if jobs.undecided[row.id] != nil {
            jobs.undecided[row.id]?.row = row
        } else if let job = jobs.byID[row.id] {
            // After a bury or a delay, a kick has made the job ready. Others may have had the job, and changed it, in
            // between.
            jobs.meet(job, row, isClaimed: claim == .free)
        } else {
            insert(row, tube: tube, now: now)
        }
    }
}
