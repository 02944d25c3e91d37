/// Puts with a key: if the tube has a job with that key, nothing is put and the client is given the id of that job.
///
/// Only the database knows whether there is such a job, and the answer must be known before the commit. So these puts
/// are queries, apart from the batches of other puts. Their jobs are found by a refill, like those of another broker.
extension Queue {
    mutating func issueUnique(_ put: PutRequest, key: String, id: JobID, row: TubeID) {
        ask(
            PendingQuery(
                query: .putUnique(UniquePut(id: id, tube: row, key: key, job: put.job)), ticket: put.ticket,
                tube: put.tube, issued: put.issued))
    }

    mutating func finishUnique(_ asked: PendingQuery, _ put: UniquePut, _ outcome: UniquePut.Outcome, now: Instant) {
        let tube = asked.tube
        switch outcome {
        case .inserted:
            activity.totalJobs += 1
            tubes[tube].totalJobs += 1
            notePut(tube, put.job)
            if !membership.isStale { count(tube, put.counts) }
            if put.job.delay > 0 {
                scheduleSweep(now + .seconds(put.job.delay))
            } else {
                let key = JobKey(priority: put.job.priority, id: put.id)
                tellPeers(put.tube, key)
                becameClaimable(tube, key)
            }
            endPut(put.job, of: tube, asked.ticket, .inserted(put.id))
        case .exists(let id, let stored, let isReserved):
            let state = jobs.byID[id].map { stateOfKnown($0) } ?? (isReserved ? .reserved : JobState(stored))
            endPut(put.job, of: tube, asked.ticket, .insertedBefore(id, state))
        }
    }

    /// The tube has lost its row: the job is put when the tube has another one.
    mutating func putAgain(_ asked: PendingQuery, _ put: UniquePut, now: Instant) {
        guard let ticket = asked.ticket else { preconditionFailure("a put without a client") }
        tubes[asked.tube].isRowGone = true
        addWaitingPut(
            PutRequest(job: put.job, key: put.key, tube: asked.tube, ticket: ticket, issued: asked.issued))
        issueWaitingPuts(now: now)
    }
}

/// A new job with a key.
public struct UniquePut: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var key: String
    public var job: NewJob

    /// How the put changes the tube's counts.
    public var counts: StateCounts {
        var counts = StateCounts()
        counts.add(1, job.state, priority: job.priority)
        return counts
    }

    public enum Outcome: Sendable {
        case inserted
        /// The tube has this job with the key.
        case exists(JobID, StoredState, isReserved: Bool)
    }
}
