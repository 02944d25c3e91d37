/// The priority cache: the next jobs of the tubes that somebody here watches, leased ahead
/// (docs/ARCHITECTURE.md, The priority cache).
extension Queue {
    /// Bytes that a cached job takes besides its body.
    static let jobOverhead = 256
    /// A refill leaves out bodies of more bytes.
    static let refillBodyLimit = 16 << 10
    /// How long a tube's cache outlives its last watcher.
    static let cacheLinger = Span.seconds(5)

    /// Whether a job that is put should have this broker's lease and go into the cache.
    ///
    /// A broker takes what its budget holds, and beside others no more than its share.
    func mayLease(_ tube: Int, _ bytes: Int) -> Bool {
        guard hasRoom(tube, bytes) else { return false }
        return isAlone || tubes[tube].cache.heap.count + tubes[tube].leasedPuts < share(of: tube)
    }

    /// Whether this broker should keep the lease of a job that a client here gives back: beside others, if a client here
    /// waits for it. It is not kept ahead, since clients elsewhere may wait.
    func mayKeep(_ tube: Int) -> Bool {
        hasRoom(tube, 0) && (isAlone || tubes[tube].cache.heap.count < tubes[tube].waiting)
    }

    private func hasRoom(_ tube: Int, _ bytes: Int) -> Bool {
        tubes[tube].watching > 0 && jobs.cachedBytes + bytes + Queue.jobOverhead <= configuration.cacheBytes
    }

    mutating func cache(_ job: Int, now: Instant) {
        var bytes = Queue.jobOverhead
        if let body = jobs[job].body {
            if jobs.cachedBytes + body.count <= configuration.cacheBytes {
                bytes += body.count
            } else {
                jobs[job].body = nil
            }
        }
        let tube = jobs[job].tube
        // A put or a refill may be answered after the last watcher has gone.
        if tubes[tube].watching == 0, tubes[tube].cache.idleSince == nil { tubes[tube].cache.idleSince = now }
        jobs[job].charged = bytes
        jobs.cachedBytes += bytes
        jobs[job].phase = .cached
        tubes[tube].cache.heap.insert(job, key: jobs[job].key, in: &jobs.table)
        tubes.activate(tube)
        markReady(tube)
    }

    mutating func uncache(_ job: Int) {
        jobs.cachedBytes -= jobs[job].charged
        jobs[job].charged = 0
        tubes[jobs[job].tube].cache.heap.remove(at: Int(jobs[job].heapPosition), in: &jobs.table)
    }

    /// A job with this key has become ready, and nobody has its lease.
    mutating func becameClaimable(_ tube: Int, _ key: JobKey) {
        tubes[tube].cache.lowerHorizon(to: key)
        markReady(tube)
    }

    /// Jobs may have become claimable anywhere in the tubes. Nobody is served yet.
    mutating func lowerAllHorizons() {
        for slot in tubes.active { tubes[slot].cache.lowerHorizon(to: .first) }
    }

    mutating func insert(_ row: JobRow, tube: Int, now: Instant) {
        let job = remember(Job(row: row, tube: tube, phase: .cached, now: now))
        jobs[job].isImplicit = row.lease != epoch
        cache(job, now: now)
    }

    /// Gives back the leases of a tube's cached jobs, except for the first `kept`.
    mutating func giveBackCache(_ tube: Int, keeping kept: Int, now: Instant) {
        let cached = tubes[tube].cache.heap.entries.sorted { $0.key < $1.key }
        guard cached.count > kept else { return }
        for entry in cached[kept...] {
            uncache(entry.slot)
            if jobs[entry.slot].isImplicit {
                forgetImplicit(entry.slot)
            } else {
                // Others may claim it from the commit on. The outcome lowers the horizon below it.
                changeState(of: entry.slot, to: .ready, keepsLease: false, now: now)
            }
        }
    }

    /// Adds a job that has this broker's lease to those in memory.
    mutating func remember(_ job: consuming Job) -> Int {
        tubes[job.tube].inMemory += 1
        return jobs.insert(job)
    }

    /// Removes a job from memory.
    /// - Returns: its row, if a refill has claimed it meanwhile.
    @discardableResult
    mutating func forget(_ job: Int) -> JobRow? {
        tubes[jobs[job].tube].inMemory -= 1
        markDropped(jobs[job].tube)
        return jobs.remove(job)
    }
}
