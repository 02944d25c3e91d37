/// Reserve: a client gets the job with the smallest key over the unpaused tubes that it watches
/// (docs/ARCHITECTURE.md, Invariants).
extension Queue {
    mutating func reserve(_ slot: Int, until: Instant?, isImpatient: Bool, now: Instant) {
        becomeWorker(slot)
        guard mayHoldMore else { return answer(slot, .outOfMemory) }
        let isSoon = isDeadlineSoon(slot)
        switch choose(slot, now: now) {
        case .job(let job):
            give(job, to: slot, now: now)
        case .nothing:
            if isSoon {
                answer(slot, .deadlineSoon)
            } else if isImpatient || connections[slot].inputEnded {
                answer(slot, .timedOut)
            } else {
                wait(slot, until: until, isImpatient: false, now: now)
            }
        case .unknown:
            wait(
                slot, until: until, isImpatient: isImpatient || isSoon || connections[slot].inputEnded,
                now: now)
        }
    }

    enum Choice {
        case job(Int)
        case nothing
        case unknown
    }

    /// The job that the client is due, or whether there is one, as far as its tubes are known.
    mutating func choose(_ slot: Int, now: Instant) -> Choice {
        guard now < epochValidUntil else { return .unknown }
        var best: (slot: Int, key: JobKey)?
        var isKnown = true
        for tube in connections[slot].watched where tubes[tube].pausedUntil == nil {
            switch tubes[tube].front {
            case .job(let job, let key):
                if best == nil || key < best!.key { best = (job, key) }
            case .empty: break
            case .unknown:
                isKnown = false
                refill(tube, now: now)
            }
        }
        guard isKnown else { return .unknown }
        return best.map { .job($0.slot) } ?? .nothing
    }

    /// Gives a cached job to a client.
    ///
    /// `isNamed`: the client wants this job and no other.
    mutating func give(_ job: Int, to slot: Int, isNamed: Bool = false, now: Instant) {
        uncache(job)
        noteTaken(jobs[job].tube)
        refillAhead(jobs[job].tube, now: now)
        hold(job, by: slot, now: now)
        let id = jobs[job].key.id
        if let body = jobs[job].body {
            jobs[job].body = nil
            answer(slot, .reserved(id, body))
        } else {
            ask(
                PendingQuery(
                    query: .fetch(id, isSole: sharing != .shared), ticket: openReply(slot), issued: now,
                    isNamed: isNamed))
        }
    }

    // MARK: Holding

    var mayHoldMore: Bool { jobs.deadlines.count < configuration.maxHeldJobs }

    mutating func hold(_ job: Int, by slot: Int, now: Instant) {
        jobs[job].phase = .held
        jobs[job].owner = slot
        jobs[job].reservations.add(now)
        jobs[job].counters.reserves &+= 1
        noteReserve(of: job, now: now)
        setDeadline(job, now + .seconds(jobs[job].ttr), now: now)
        let first = connections[slot].firstHeld
        jobs[job].previous = -1
        jobs[job].next = first
        if first >= 0 { jobs[first].previous = job } else { connections[slot].lastHeld = job }
        connections[slot].firstHeld = job
        connections[slot].held += 1
        countHeld(job, 1)
        if sql.isRecalling { annotate(job) } else { jobs.unannotated.append(jobs[job].key.id, at: now) }
    }

    /// Takes a job from the client that holds it. The caller says what becomes of the job.
    mutating func unhold(_ job: Int) {
        clearDeadline(job)
        let owner = jobs[job].owner
        let previous = jobs[job].previous
        let next = jobs[job].next
        if previous >= 0 { jobs[previous].next = next } else { connections[owner].firstHeld = next }
        if next >= 0 { jobs[next].previous = previous } else { connections[owner].lastHeld = previous }
        connections[owner].held -= 1
        jobs[job].owner = -1
    }
}
