/// Writes and queries under way, and what they keep: settling jobs, pins, bytes of puts.
extension InvariantCheck {
    func checkWrites(_ queue: borrowing Queue) {
        for kind in WriteKind.allCases {
            checkWrites(queue.lanes[kind].pending, queue)
            if let batch = queue.lanes[kind].inFlight { checkWrites(batch, queue) }
        }
        expect(settling == 0, "\(settling) jobs are settling without a write")
        for put in queue.puts.waiting {
            tally[put.tube].pins += 1
            addPut(put.job, put.tube, put.ticket, queue)
            if queue.isOpen(put.ticket.connection) { openWaitingPuts += 1 }
        }
    }

    func checkWrites(_ batch: WriteBatch, _ queue: borrowing Queue) {
        for put in batch.puts {
            tally[put.tubeSlot].pins += 1
            addPut(put.job, put.tubeSlot, put.ticket, queue)
            if put.isLeased { tally[put.tubeSlot].leasedPuts += 1 }
        }
        for at in batch.puts.indices.dropFirst() {
            expect(batch.puts[at - 1].id < batch.puts[at].id, "puts are not in the order of their ids")
        }
        for change in batch.stateChanges { checkSettling(change.id, change.slot, change.wasHeld, queue) }
        for delete in batch.deletes { checkSettling(delete.id, delete.slot, delete.wasHeld, queue) }
    }

    /// Each settling job has one write.
    func checkSettling(_ id: JobID, _ slot: Int, _ wasHeld: Bool, _ queue: borrowing Queue) {
        settling -= 1
        guard queue.jobs.byID[id] == slot, queue.jobs[slot].isSettling else {
            return expect(false, "job \(id) has a write and is not settling")
        }
        if wasHeld { tally[queue.jobs[slot].tube].held += 1 }
    }

    func addPut(_ job: NewJob, _ tube: Int, _ ticket: Ticket?, _ queue: borrowing Queue) {
        let cost = Queue.cost(of: job.body)
        if job.body.count > queue.configuration.largeBodyBytes {
            pendingLargeBytes += cost
        } else {
            pendingBytes += cost
        }
        if let ticket, queue.isOpen(ticket.connection) { openPendingBytes += cost }
        if job.delay == 0 { tally[tube].putsInFlight += 1 }
    }

    func checkQueries(_ queue: borrowing Queue) {
        for query in queue.queries.waiting { add(query, queue) }
        for query in queue.queries.inFlight { add(query, queue) }
        for query in queue.queries.postponed { add(query, queue) }
        for (query, _) in queue.queries.answersAwaitingRenewal { add(query, queue) }
        for (query, _) in queue.queries.answersAwaitingTubes { add(query, queue) }
        expect(sweeps == (queue.schedule.isSweeping ? 1 : 0), "\(sweeps) sweeps are under way")
        expect(polls == (queue.schedule.isPolling ? 1 : 0), "\(polls) polls are under way")
        expect(leaseEnds == (queue.schedule.isEndingLeases ? 1 : 0), "\(leaseEnds) queries end leases")
        expect(
            undecided == queue.jobs.undecided.count,
            "\(queue.jobs.undecided.count) jobs are undecided, counted \(undecided)")
    }

    func add(_ query: PendingQuery, _ queue: borrowing Queue) {
        if query.tube >= 0 { tally[query.tube].pins += 1 }
        switch query.query {
        case .refill: tally[query.tube].refills += 1
        case .openTube: tally[query.tube].openings += 1
        case .sweep: sweeps += 1
        case .poll: polls += 1
        case .endLeases: leaseEnds += 1
        case .putUnique(let put):
            // The put has a pin of its own.
            tally[query.tube].pins += 1
            addPut(put.job, query.tube, query.ticket, queue)
        case .reserve(let id), .delete(let id, _), .kickJob(let id):
            undecided += 1
            expect(queue.jobs.undecided[id] != nil, "a query is about job \(id), which is not undecided")
        case .fetch, .kick, .peek, .first, .job, .tube, .pause: break
        }
    }
}
