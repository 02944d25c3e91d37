/// Missing jobs: somebody has deleted or changed their rows past the broker, which no function of the schema does.
/// Their clients get `NOT_FOUND`, and nobody is given the jobs again.
extension Queue {
    mutating func committed(_ batch: WriteBatch, without missing: [MissingJob], now: Instant) {
        let missing = Dictionary(missing.map { ($0.id, $0) }) { first, _ in first }
        for change in batch.stateChanges {
            if let found = missing[change.id] {
                missed(found, change.slot, change.from, change.fromPriority, change.wasHeld, change.ticket, now: now)
            } else {
                committed(change, now: now)
            }
            conclude(now: now)
        }
        for delete in batch.deletes {
            if let found = missing[delete.id] {
                missed(found, delete.slot, delete.from, delete.fromPriority, delete.wasHeld, delete.ticket, now: now)
            } else {
                committed(delete)
            }
            conclude(now: now)
        }
        for annotation in batch.annotations where missing[annotation.id] != nil {
            missedAnnotation(of: annotation.id, now: now)
        }
    }

    /// Nothing was done to the job.
    private mutating func missed(
        _ missing: MissingJob, _ job: Int, _ state: StoredState, _ priority: UInt32, _ wasHeld: Bool,
        _ ticket: Ticket?, now: Instant
    ) {
        let tube = jobs[job].tube
        if wasHeld { countHeld(job, -1) }
        if tubes[tube].cache.mayBeStale { tubes[tube].cache.settledMeanwhile.insert(missing.id) }
        // Whoever deleted the row has not changed the counts.
        if !missing.isThere { count(tube, -1, state, priority: priority) }
        if let row = forget(job) { insert(row, tube: tube, now: now) }
        // The row may have another lease by now, and any key.
        if missing.isThere { becameClaimable(tube, .first) }
        fill(ticket, .notFound)
        settled(missing.id)
    }

    /// A held job stays with its client. The outcome of the next change tells whether the row is missing.
    private mutating func missedAnnotation(of id: JobID, now: Instant) {
        guard let job = jobs.byID[id] else { return }
        switch jobs[job].phase {
        case .held: jobs[job].isMissing = true
        case .cached:
            uncache(job)
            lookFor(job, now: now)
        case .settling: break
        }
    }

    /// Gives back a job that seems to be missing. The outcome tells whether it is; if not, anybody may have it.
    mutating func lookFor(_ job: Int, now: Instant) {
        changeState(of: job, to: jobs[job].stored, keepsLease: false, now: now)
    }
}
