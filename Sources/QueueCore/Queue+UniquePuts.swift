/// Puts with a key: one whose tube has a job with that key gets the id of that job, and puts nothing.
///
/// Whether it does, only the database knows, and the answer has to be known before the commit: so these are queries,
/// and the batches of other puts have nothing to do with them. Their jobs are found by a refill, as another broker's
/// are.
extension Queue {
    mutating func issueUnique(_ put: OrphanedPut, key: String, id: JobID, row: TubeID) {
        queries.append(
            PendingQuery(
                query: .putUnique(
                    UniquePut(
                        id: id, tube: row, key: key, priority: put.priority, delay: put.delay, ttr: put.ttr,
                        body: put.body)),
                purpose: .putUnique(put.ticket, tube: put.tube), issued: put.issued))
    }

    mutating func finishUnique(
        _ asked: PendingQuery, _ put: UniquePut, _ ticket: Ticket, tube: Int, _ outcome: UniquePut.Outcome, now: Instant
    ) {
        switch outcome {
        case .inserted:
            totalJobs += 1
            tubes[tube].totalJobs += 1
            if !isStale { count(tube, put.counts) }
            putEnded(tube, delay: put.delay)
            if put.delay > 0 {
                scheduleSweep(now + .seconds(put.delay))
            } else {
                let key = JobKey(priority: put.priority, id: put.id)
                tellOthers(put.tube, key)
                note(tube, key, now: now)
            }
            endPut(put.body, ticket, .inserted(put.id), now: now)
        case .exists(let id, let stored, let isReserved):
            let state = jobSlots[id].map { stateOfKnown($0) } ?? (isReserved ? .reserved : JobState(stored))
            putEnded(tube, delay: put.delay)
            tubeReleased(tube, now: now)
            endPut(put.body, ticket, .insertedBefore(id, state), now: now)
        }
    }

    /// The tube has lost its row: it is put when the tube has another.
    mutating func orphan(_ asked: PendingQuery, _ ticket: Ticket, tube: Int, now: Instant) {
        guard case .putUnique(let put) = asked.query else { preconditionFailure("not a put") }
        tubes[tube].isRowGone = true
        addOrphan(
            OrphanedPut(
                tube: tube, key: put.key, priority: put.priority, delay: put.delay, ttr: put.ttr, body: put.body,
                ticket: ticket, issued: asked.issued))
        adoptPuts(now: now)
    }

    mutating func refusedUnique(_ put: UniquePut, _ ticket: Ticket, tube: Int, _ reply: Reply, now: Instant) {
        putEnded(tube, delay: put.delay)
        tubeReleased(tube, now: now)
        endPut(put.body, ticket, reply, now: now)
    }
}

/// A new job with a key.
public struct UniquePut: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var key: String
    public var priority: UInt32
    /// Seconds.
    public var delay: UInt32
    /// Seconds, at least 1.
    public var ttr: UInt32
    public var body: Body

    public var state: StoredState { delay > 0 ? .delayed : .ready }

    /// What it does to the tube's counts.
    public var counts: StateCounts {
        var counts = StateCounts()
        counts.add(1, state, priority: priority)
        return counts
    }

    public enum Outcome: Sendable {
        case inserted
        /// There is this job.
        case exists(JobID, StoredState, isReserved: Bool)
    }
}
