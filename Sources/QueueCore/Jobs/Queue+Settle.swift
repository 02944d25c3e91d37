/// The end of a reservation or of a job: delete, release, bury, touch, expiry and disconnect.
extension Queue {
    mutating func delete(_ slot: Int, _ id: JobID, now: Instant) {
        guard let job = jobs.byID[id] else {
            // The job may exist in the database: ready, delayed or buried.
            guard !isPutInFlight(id) else { return answer(slot, .notFound) }
            guard beginUndecided(id, for: .delete(id), slot) else { return }
            return ask(.delete(id, isRecorded: false), for: openReply(slot, .delete), now: now)
        }
        let wasHeld = jobs[job].isHeld
        switch jobs[job].phase {
        case .cached: uncache(job)
        case .held where jobs[job].owner == slot: unhold(job)
        case .settling where jobs[job].isBeingGivenBack: return awaitSettled(id, for: .delete(id), slot)
        case .held, .settling: return answer(slot, .notFound)
        }
        jobs[job].phase = .settling(isGivenUp: false, .none)
        lanes.changes.pending.deletes.append(
            Delete(
                id: id, tube: row(ofTube: jobs[job].tube), from: jobs[job].stored,
                fromPriority: jobs[job].key.priority, ending: ending(of: job, isFinished: wasHeld), slot: job,
                wasHeld: wasHeld, ticket: openReply(slot, .delete), issued: now))
    }

    mutating func release(_ slot: Int, _ id: JobID, priority: UInt32, delay: UInt32, now: Instant) {
        guard let job = held(id, by: slot) else { return answer(slot, .notFound) }
        unhold(job)
        if isBuriedByRelease(job) {
            return changeState(
                of: job, to: .buried, priority: priority, keepsLease: false,
                counting: {
                    $0.releases &+= 1
                    $0.buries &+= 1
                }, ticket: openReply(slot, .release), now: now)
        }
        let keepsLease = delay == 0 && mayKeep(jobs[job].tube)
        changeState(
            of: job, to: delay > 0 ? .delayed : .ready, priority: priority, delay: delay, keepsLease: keepsLease,
            counting: { $0.releases &+= 1 }, ticket: openReply(slot, .release), now: now)
    }

    mutating func bury(_ slot: Int, _ id: JobID, priority: UInt32, now: Instant) {
        guard let job = held(id, by: slot) else { return answer(slot, .notFound) }
        unhold(job)
        changeState(
            of: job, to: .buried, priority: priority, keepsLease: false, counting: { $0.buries &+= 1 },
            ticket: openReply(slot, .bury), now: now)
    }

    mutating func touch(_ slot: Int, _ id: JobID, now: Instant) {
        guard let job = held(id, by: slot), !jobs[job].isMissing else { return answer(slot, .notFound) }
        setDeadline(job, now + .seconds(jobs[job].ttr), now: now)
        if jobs[job].isAnnotated { annotate(job) }
        answer(slot, .touched)
    }

    private func held(_ id: JobID, by slot: Int) -> Int? {
        guard let job = jobs.byID[id], jobs[job].isHeld, jobs[job].owner == slot else { return nil }
        return job
    }

    func row(ofTube slot: Int) -> TubeID {
        guard let row = tubes[slot].row else { preconditionFailure("a tube with jobs has a row") }
        return row
    }

    /// The broker makes a job ready that a client held, without a command for that.
    mutating func giveBack(_ job: Int, now: Instant) {
        let tube = jobs[job].tube
        if jobs[job].stored == .ready, mayKeep(tube), !jobs[job].isMissing {
            if jobs[job].isHeld { countHeld(job, -1) }
            if jobs[job].isAnnotated { annotate(job) }
            cache(job, now: now)
        } else {
            changeState(of: job, to: .ready, keepsLease: mayKeep(tube), now: now)
        }
    }

    /// Adds a change of a leased job's row to the next batch. Until it has committed, nobody gets the job.
    mutating func changeState(
        of job: Int, to state: StoredState, priority: UInt32? = nil, delay: UInt32? = nil, keepsLease: Bool,
        counting count: (inout JobCounters) -> Void = { _ in }, ticket: Ticket? = nil, now: Instant
    ) {
        var counters = jobs[job].counters
        count(&counters)
        lanes.changes.pending.stateChanges.append(
            StateChange(
                id: jobs[job].key.id, tube: row(ofTube: jobs[job].tube), from: jobs[job].stored,
                fromPriority: jobs[job].key.priority, to: state, priority: priority ?? jobs[job].key.priority,
                delay: delay ?? jobs[job].delay, keepsLease: keepsLease, counters: counters,
                reservations: jobs[job].reservations, slot: job, wasHeld: jobs[job].isHeld, ticket: ticket,
                issued: now))
        jobs[job].phase = .settling(isGivenUp: ticket == nil, .none)
    }

    /// A command about a job that is being given back waits for the outcome.
    mutating func awaitSettled(_ id: JobID, for command: Command, _ slot: Int) {
        connections[slot].parked = command
        jobs.awaitingSettled[id, default: []].append(self.id(of: slot))
    }

    mutating func settled(_ id: JobID) {
        guard !jobs.awaitingSettled.isEmpty, let waiting = jobs.awaitingSettled.removeValue(forKey: id) else {
            return
        }
        mark(connections: waiting)
    }

    mutating func committed(_ change: StateChange, now: Instant) {
        let job = change.slot
        let tube = jobs[job].tube
        note(change)
        if change.wasHeld { countHeld(job, -1) }
        if tubes[tube].cache.mayBeStale { tubes[tube].cache.settledMeanwhile.insert(change.id) }
        count(tube, -1, change.from, priority: change.fromPriority)
        count(tube, 1, change.to, priority: change.priority)
        jobs[job].key.priority = change.priority
        jobs[job].delay = change.delay
        jobs[job].counters = change.counters
        jobs[job].stored = change.to
        jobs[job].isAnnotated = false
        if change.to == .delayed { scheduleSweep(now + .seconds(change.delay)) }
        switch jobs[job].encounter {
        case .claimed:
            if let row = forget(job) { insert(row, tube: tube, now: now) }
        case .none where change.to == .ready && change.keepsLease, .read where change.to == .ready && change.keepsLease:
            cache(job, now: now)
        case .none:
            let key = jobs[job].key
            forget(job)
            if change.to == .ready {
                tellPeers(change.tube, key)
                becameClaimable(tube, key)
            }
        case .read:
            let key = jobs[job].key
            forget(job)
            tellPeers(change.tube, key)
            // Another broker may have had the job and changed its key.
            becameClaimable(tube, .first)
        }
        fill(change.ticket, change.reply)
        settled(change.id)
    }

    mutating func committed(_ delete: Delete) {
        let tube = jobs[delete.slot].tube
        if delete.wasHeld { countHeld(delete.slot, -1) }
        if tubes[tube].cache.mayBeStale { tubes[tube].cache.settledMeanwhile.insert(delete.id) }
        count(tube, -1, delete.from, priority: delete.fromPriority)
        tubes[tube].deletes += 1
        noteDelete(of: delete.slot, wasHeld: delete.wasHeld, issued: delete.issued)
        forget(delete.slot)
        fill(delete.ticket, .deleted)
    }

    /// Nothing was done. The client that held the job holds it again, if it is still there.
    mutating func refused(_ job: Int, _ wasHeld: Bool, _ ticket: Ticket?, now: Instant) {
        let id = jobs[job].key.id
        if wasHeld, let ticket, isOpen(ticket.connection) {
            countHeld(job, -1)
            let reservations = jobs[job].reservations
            let deadline = max(jobs[job].deadline, now + Queue.deadlineMargin)
            jobs[job].counters.reserves &-= 1
            hold(job, by: ticket.connection.slot, now: now)
            jobs[job].reservations = reservations
            setDeadline(job, deadline, now: now)
        } else {
            if wasHeld { jobs[job].phase = .held }
            giveBack(job, now: now)
        }
        fill(ticket, .internalError)
        if !jobs[job].isBeingGivenBack { settled(id) }
    }
}
