/// The priority cache: the next jobs of the tubes that somebody here watches, leased ahead (design, section 5).
extension Queue {
    /// What a cached job costs besides its body, in bytes.
    static let jobOverhead = 256
    /// Bodies over this many bytes are left in the database by a refill.
    static let refillBodyLimit = 16 << 10
    /// How long a tube's cache outlives its last watcher.
    static let cacheLinger = Span.seconds(5)

    /// Whether a job that is about to become ready should get, or keep, this broker's lease and go into the cache.
    ///
    /// Alone, a broker takes all that its budget holds: nobody else wants it. With peers, or SQL sessions,
    /// it takes what its own waiting clients will have at once.
    func mayLease(_ tube: Int, _ bytes: Int) -> Bool {
        guard tubes[tube].watching > 0, cachedBytes + bytes + Queue.jobOverhead <= configuration.cacheBytes else {
            return false
        }
        return isAlone || tubes[tube].cache.heap.count < tubes[tube].waiting
    }

    mutating func cache(_ job: Int, now: Instant) {
        var bytes = Queue.jobOverhead
        if let body = jobs[job].body {
            if cachedBytes + body.count <= configuration.cacheBytes {
                bytes += body.count
            } else {
                jobs[job].body = nil
            }
        }
        let tube = jobs[job].tube
        // A put, or what a refill has read, may come after the last watcher has gone.
        if tubes[tube].watching == 0, tubes[tube].cache.idleSince == nil { tubes[tube].cache.idleSince = now }
        jobs[job].charged = bytes
        cachedBytes += bytes
        jobs[job].phase = .cached
        tubes[tube].cache.heap.insert(job, key: jobs[job].key, in: &jobs)
        activate(tube)
    }

    mutating func uncache(_ job: Int) {
        cachedBytes -= jobs[job].charged
        jobs[job].charged = 0
        tubes[jobs[job].tube].cache.heap.remove(at: Int(jobs[job].heapPosition), in: &jobs)
    }

    /// A job that is ready, and that nobody holds the lease of, has this key.
    mutating func note(_ tube: Int, _ key: JobKey, now: Instant) {
        tubes[tube].cache.note(key)
        match(tube, now: now)
    }

    /// Rows may have this broker's lease without being known here, also of tubes that come later.
    mutating func readOwnLeases() {
        hasReconnected = true
        noteAll()
        for slot in listing { tubes[slot].cache.readsOwn = true }
    }

    /// What has become claimable may lie anywhere in the tubes; nobody is served of it yet.
    mutating func noteAll() {
        for slot in active { tubes[slot].cache.note(.first) }
    }

    /// Asks the ready index from the horizon on.
    mutating func refill(_ tube: Int, now: Instant) {
        guard epoch != 0, let row = tubes[tube].row, !tubes[tube].cache.isRefilling else { return }
        tubes[tube].cache.isRefilling = true
        activate(tube)
        tubes[tube].pins += 1
        ask(refillQuery(tube, row), .refill(tube: tube), now: now)
    }

    /// Reads on before the last known job is given out, so that nobody waits for the next page.
    mutating func refillAhead(_ tube: Int, now: Instant) {
        // With peers a refill takes leases: nobody takes those ahead of need.
        guard sharing == .sole, tubes[tube].cache.horizon != .end, !tubes[tube].cache.isRefilling,
            tubes[tube].cache.heap.count < tubes[tube].cache.chunk / 4
        else { return }
        refill(tube, now: now)
    }

    private func refillQuery(_ tube: Int, _ row: TubeID) -> Query {
        let hungry = max(1, tubes[tube].waiting)
        let room = max(0, configuration.cacheBytes - cachedBytes) / (Queue.jobOverhead + Queue.jobOverhead)
        let limit = !isAlone ? hungry : max(hungry, min(tubes[tube].cache.chunk, room))
        return .refill(
            tube: row, from: tubes[tube].cache.horizon, limit: min(limit, ReadyCache.largestChunk),
            bodyLimit: Queue.refillBodyLimit,
            sharing == .sole ? .none : tubes[tube].cache.readsOwn ? .freeAndOwn : .free)
    }

    /// A query that is about to be sent. How a refill claims depends on what this broker is now, and whatever becomes
    /// known from here on may be news to its answer.
    mutating func renewed(_ query: PendingQuery) -> Query {
        // The lease of a sole broker's job may be on its way to the row.
        if case .fetch(let id, _) = query.query { return .fetch(id, isSole: sharing != .shared) }
        // Asked before the policies were known, maybe.
        if case .delete(let id, _) = query.query { return .delete(id, isRecorded: keepsHistory) }
        guard case .refill(let tube) = query.purpose, let row = tubes[tube].row else { return query.query }
        tubes[tube].cache.missed = .end
        tubes[tube].cache.settledMeanwhile = []
        tubes[tube].cache.isReading = sharing == .sole
        tubes[tube].cache.isVoid = false
        return refillQuery(tube, row)
    }

    mutating func refilled(_ tube: Int, with rows: [JobRow], asked query: Query, now: Instant) {
        guard case .refill(_, _, let limit, _, let claim) = query else { preconditionFailure("not a refill") }
        guard !tubes[tube].cache.isVoid else {
            refillFailed(tube, now: now)
            return match(tube, isNews: true, now: now)
        }
        tubes[tube].cache.isRefilling = false
        tubes[tube].pins -= 1
        let settled = tubes[tube].cache.settledMeanwhile
        for row in rows where row.flaw == nil && (claim == .free || !isLeasedPutInFlight(row.id)) {
            if claim != .free, settled.contains(row.id) {
                // The row may be older than that, or younger: it is read once more.
                tubes[tube].cache.missed = min(tubes[tube].cache.missed, row.key)
            } else {
                adopt(row, tube: tube, claim, now: now)
            }
        }
        let reached = rows.count == limit ? rows[rows.count - 1].key.next : JobKey.end
        let horizon = min(reached, tubes[tube].cache.missed)
        // All has been seen, and nothing was forgotten meanwhile: that would have lowered the horizon.
        if claim != .free, horizon == .end { tubes[tube].cache.readsOwn = !settled.isEmpty }
        tubes[tube].cache.horizon = horizon
        if rows.count == limit {
            tubes[tube].cache.chunk = min(tubes[tube].cache.chunk * 2, ReadyCache.largestChunk)
        }
        match(tube, isNews: true, now: now)
        // Of all tubes: whoever is served now may have waited for several.
        if sql.isSummoned { giveBackSurplus(now: now) }
        tubeReleased(tube, now: now)
    }

    mutating func refillFailed(_ tube: Int, now: Instant) {
        tubes[tube].cache.isRefilling = false
        tubes[tube].cache.horizon = min(tubes[tube].cache.horizon, tubes[tube].cache.missed)
        tubes[tube].pins -= 1
        tubeReleased(tube, now: now)
    }

    /// A row that a refill has given, and that is this broker's.
    private mutating func adopt(_ row: JobRow, tube: Int, _ claim: Claim, now: Instant) {
        if limbo[row.id] != nil {
            limbo[row.id]?.row = row
        } else if let job = jobSlots[row.id] {
            guard jobs[job].phase == .settling else { return }
            // Given up by a move that has committed and whose outcome is still on its way here; also by a bury or a
            // delay, when it has been kicked since. Others may have had it, and changed it, in between.
            switch claim {
            case .free: reclaimed[row.id] = row
            case .freeAndOwn, .none: jobs[job].mustBeReread = true
            }
        } else {
            insert(row, tube: tube, now: now)
        }
    }

    mutating func insert(_ row: JobRow, tube: Int, now: Instant) {
        let job = remember(Job(row: row, tube: tube, phase: .cached, now: now))
        jobs[job].isImplicit = row.lease != epoch
        cache(job, now: now)
    }

    /// Gives the leases of a tube's cached jobs back, but for the first few.
    mutating func giveBackCache(_ tube: Int, keeping kept: Int, now: Instant) {
        let cached = tubes[tube].cache.heap.entries.sorted { $0.key < $1.key }
        guard cached.count > kept else { return }
        for entry in cached[kept...] {
            uncache(entry.slot)
            if jobs[entry.slot].isImplicit {
                forgetImplicit(entry.slot)
            } else {
                move(entry.slot, to: .ready, keepsLease: false, now: now)
            }
        }
        // They are claimable by others from the commit on; then `note` lowers the horizon below them.
        tubeReleased(tube, now: now)
    }

    /// Keeps only what waiting clients will have at once.
    mutating func giveBackSurplus(now: Instant) {
        for slot in active where tubes[slot].cache.heap.count > tubes[slot].waiting {
            giveBackCache(slot, keeping: tubes[slot].waiting, now: now)
        }
    }

    /// Takes up a job that has this broker's lease.
    mutating func remember(_ job: Job) -> Int {
        let slot = jobs.insert(job)
        tubes[job.tube].leased += 1
        jobSlots[job.key.id] = slot
        return slot
    }

    /// Forgets a job that is no longer this broker's business.
    mutating func forget(_ job: Int) {
        if !reclaimed.isEmpty { reclaimed[jobs[job].key.id] = nil }
        jobSlots[jobs[job].key.id] = nil
        tubes[jobs[job].tube].leased -= 1
        jobs.remove(job)
    }
}
