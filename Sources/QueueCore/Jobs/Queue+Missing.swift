/// Jobs whose rows somebody has deleted or changed behind this broker's back, which no function of the schema does. Their
/// clients hear NOT_FOUND, whatever they wanted, and nobody is given them again.
extension Queue {
    mutating func committed(_ batch: WriteBatch, without missing: [MissingJob], now: Instant) {
        let missing = Dictionary(missing.map { ($0.id, $0) }) { first, _ in first }
        for change in batch.stateChanges {
            if let found = missing[change.id] {
                missed(found, change.slot, change.from, change.fromPriority, change.wasHeld, change.ticket, now: now)
            } else {
                committed(change, now: now)
            }
        }
        for delete in batch.deletes {
            if let found = missing[delete.id] {
                missed(found, delete.slot, delete.from, delete.fromPriority, delete.wasHeld, delete.ticket, now: now)
            } else {
                committed(delete, now: now)
            }
        }
        for annotation in batch.annotations where missing[annotation.id] != nil {
            missedAnnotation(of: annotation.id, now: now)
        }
    }

    /// Nothing was done to the job that a change was about.
    private mutating func missed(
        _ missing: MissingJob, _ job: Int, _ state: StoredState, _ priority: UInt32, _ wasHeld: Bool,
        _ ticket: Ticket?, now: Instant
    ) {
        let tube = jobs[job].tube
        if wasHeld { countHeld(job, -1) }
        if tubes[tube].cache.mayBeStale { tubes[tube].cache.settledMeanwhile.insert(missing.id) }
        // Whoever deleted the row has not counted it out.
        if !missing.isThere { count(tube, -1, state, priority: priority) }
        let row = reclaimed[missing.id]
        forget(job)
        if let row { insert(row, tube: tube, now: now) }
        // What is there may be anybody's by now, and have any key; it may have this broker's lease again.
        if missing.isThere {
            tubes[tube].cache.readsOwn = true
            tubes[tube].cache.lowerHorizon(to: .first)
        }
        match(tube, now: now)
        tubeReleased(tube, now: now)
        fill(ticket, .notFound, now: now)
        settled(missing.id, now: now)
    }

    /// A job in a client's hands stays there until the client, or its time, ends that: what is changed then tells more.
    private mutating func missedAnnotation(of id: JobID, now: Instant) {
        guard let job = jobSlots[id] else { return }
        switch jobs[job].phase {
        case .held: jobs[job].isMissing = true
        case .cached:
            uncache(job)
            lookFor(job, now: now)
        case .settling: break
        }
    }

    /// Gives up a job that seems to be missing, which tells whether it is: if not, anybody may have it.
    mutating func lookFor(_ job: Int, now: Instant) {
        changeState(of: job, to: jobs[job].stored, keepsLease: false, now: now)
    }
}
