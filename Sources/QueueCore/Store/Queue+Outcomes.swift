/// The outcomes of batches.
extension Queue {
    /// The outcome of the batch that was taken, in one part or in several.
    /// - Returns: how many operations of the kind have collected meanwhile.
    @discardableResult
    public mutating func finish(
        _ kind: WriteKind, _ parts: [(batch: WriteBatch, outcome: WriteOutcome)], now: Instant
    ) -> Int {
        lanes[kind].inFlight = nil
        lanes[kind].inFlightSince = .never
        let collected = lanes[kind].pending.count
        for part in parts { finish(part.batch, part.outcome, now: now) }
        return collected
    }

    private mutating func finish(_ batch: WriteBatch, _ outcome: WriteOutcome, now: Instant) {
        guard batch.epoch == epoch else {
            finishStale(batch, outcome, now: now)
            return conclude(now: now)
        }
        switch outcome {
        case .committed:
            committed(batch.puts, now: now)
            for change in batch.stateChanges {
                committed(change, now: now)
                conclude(now: now)
            }
            for delete in batch.deletes {
                committed(delete)
                conclude(now: now)
            }
            if batch.endsSole { soleHasEnded() }
        case .committedWithout(let missing):
            committed(batch.puts, now: now)
            committed(batch, without: missing, now: now)
        case .refused(.idTaken):
            for put in batch.puts { putAgain(put) }
            issueWaitingPuts(now: now)
        case .refused(.tubeGone):
            // The outcome does not tell which tube it is. Asking for a row that exists changes nothing.
            for put in batch.puts {
                tubes[put.tubeSlot].isRowGone = true
                putAgain(put)
            }
            issueWaitingPuts(now: now)
        case .refused(let refusal): refused(batch, refusal, now: now)
        case .fenced:
            for put in batch.puts { putAgain(put) }
            dropLeases(of: batch, now: now)
            loseEpoch(now: now)
        }
        conclude(now: now)
    }

    /// Each put is a step of its own: a client that waits gets the first of them, as from beanstalkd.
    private mutating func committed(_ puts: [Put], now: Instant) {
        for put in puts {
            committed(put, now: now)
            conclude(now: now)
        }
    }

    private mutating func refused(_ batch: WriteBatch, _ refusal: Refusal, now: Instant) {
        if batch.endsSole { soleHasNotEnded(batch.leases) }
        if sql.answer == nil { sql.answer = batch.answer }
        for annotation in batch.annotations {
            guard let job = jobs.byID[annotation.id] else { continue }
            if annotation.wasImplicit { jobs[job].isImplicit = true }
            annotate(job)
        }
        for put in batch.puts { refused(put, refusal.replyToPut) }
        for change in batch.stateChanges { refused(change.slot, change.wasHeld, change.ticket, now: now) }
        for delete in batch.deletes { refused(delete.slot, delete.wasHeld, delete.ticket, now: now) }
    }

    // MARK: After the epoch has died

    /// The outcome of a batch whose epoch has died meanwhile: its leases are void whatever the outcome.
    private mutating func finishStale(_ batch: WriteBatch, _ outcome: WriteOutcome, now: Instant) {
        switch outcome {
        case .committed: committedStale(batch, without: [], now: now)
        case .committedWithout(let missing): committedStale(batch, without: Set(missing.map(\.id)), now: now)
        case .refused(let refusal) where refusal != .idTaken && refusal != .tubeGone:
            for put in batch.puts { refused(put, refusal.replyToPut) }
            dropLeases(of: batch, now: now)
        case .refused, .fenced:
            for put in batch.puts { putAgain(put) }
            dropLeases(of: batch, now: now)
            issueWaitingPuts(now: now)
        }
    }

    private mutating func committedStale(_ batch: WriteBatch, without missing: Set<JobID>, now: Instant) {
        membership.isStale = true
        for put in batch.puts { committed(put, now: now) }
        membership.isStale = false
        for change in batch.stateChanges {
            if !missing.contains(change.id) { note(change) }
            drop(change.slot, change.wasHeld, nil, now: now)
            fill(change.ticket, missing.contains(change.id) ? .notFound : change.reply)
        }
        for delete in batch.deletes {
            let isDeleted = !missing.contains(delete.id)
            if isDeleted {
                tubes[jobs[delete.slot].tube].deletes += 1
                noteDelete(of: delete.slot, wasHeld: delete.wasHeld, issued: delete.issued)
            }
            drop(delete.slot, delete.wasHeld, nil, now: now)
            fill(delete.ticket, isDeleted ? .deleted : .notFound)
        }
    }

    /// Changes whose leases are void: whether a job is still there for its client is not known.
    mutating func dropLeases(of batch: WriteBatch, now: Instant) {
        for change in batch.stateChanges { drop(change.slot, change.wasHeld, change.ticket, now: now) }
        for delete in batch.deletes { drop(delete.slot, delete.wasHeld, delete.ticket, now: now) }
    }

    private mutating func drop(_ job: Int, _ wasHeld: Bool, _ ticket: Ticket?, now: Instant) {
        if wasHeld { countHeld(job, -1) }
        let (id, tube) = (jobs[job].key.id, jobs[job].tube)
        let encounter = jobs[job].encounter
        // A refill of the next epoch may have claimed the job.
        if let row = forget(job) { insert(row, tube: tube, now: now) }
        if encounter == .read { becameClaimable(tube, .first) }
        abandon(ticket)
        settled(id)
    }
}
