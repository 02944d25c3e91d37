import DequeModule

/// Who gets which job: the smallest key over the unpaused tubes that a client watches, exactly (invariant 4).
extension Queue {
    mutating func reserve(_ slot: Int, until: Instant?, isImpatient: Bool, now: Instant) {
        becomeWorker(slot)
        guard mayHoldMore else { return answer(slot, .outOfMemory, now: now) }
        let isSoon = isDeadlineSoon(slot)
        switch choose(slot, now: now) {
        case .job(let job):
            give(job, to: slot, now: now)
        case .nothing:
            if isSoon {
                answer(slot, .deadlineSoon, now: now)
            } else if isImpatient || connections[slot].inputEnded {
                answer(slot, .timedOut, now: now)
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

    /// The job that a client is due, if the tubes that it watches are known well enough to tell.
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

    /// Puts a cached job into a client's hands.
    ///
    /// `isNamed`: it wants this job and no other.
    mutating func give(_ job: Int, to slot: Int, isNamed: Bool = false, now: Instant) {
        uncache(job)
        refillAhead(jobs[job].tube, now: now)
        hold(job, by: slot, now: now)
        let id = jobs[job].key.id
        if let body = jobs[job].body {
            jobs[job].body = nil
            answer(slot, .reserved(id, body), now: now)
        } else {
            ask(
                .fetch(id, isSole: sharing != .shared), .fetch(id, openReply(slot), isNamed: isNamed), now: now)
        }
    }

    // MARK: Waiting

    private mutating func wait(_ slot: Int, until: Instant?, isImpatient: Bool, now: Instant) {
        connections[slot].waits += 1
        connections[slot].wait = Connection.Wait(until: until, isImpatient: isImpatient)
        waiting += 1
        let waiter = Tube.Waiter(connection: id(of: slot), wait: connections[slot].waits)
        for tube in connections[slot].watched {
            tubes[tube].waiting += 1
            tubes[tube].waiters.append(waiter)
            announceWait(tube)
            if tubes[tube].hasManyStaleWaiters {
                tubes[tube].waiters = Deque(tubes[tube].waiters.filter { isWaiting($0) })
            }
        }
        setTimer(slot, now: now)
    }

    private func isWaiting(_ waiter: Tube.Waiter) -> Bool {
        let slot = waiter.connection.slot
        return connections[slot].generation == waiter.connection.generation && connections[slot].wait != nil
            && connections[slot].waits == waiter.wait
    }

    /// A wait is over; the caller answers it.
    mutating func endWait(_ slot: Int) {
        connections[slot].wait = nil
        waiting -= 1
        for tube in connections[slot].watched { tubes[tube].waiting -= 1 }
        if connections[slot].heapPosition >= 0 {
            timers.remove(at: Int(connections[slot].heapPosition), in: &connections)
        }
    }

    mutating func setTimer(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait else { return }
        // An impatient client is answered when its tubes are known; this only bounds how long that may take.
        guard let at = wait.isImpatient ? now + configuration.databaseTimeout : wait.until else { return }
        timers.insert(slot, key: max(at, now), in: &connections)
    }

    /// A waiting client is to be warned of a deadline.
    mutating func hasten(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait, !wait.isImpatient else { return }
        moveTimer(slot, to: now)
    }

    private mutating func moveTimer(_ slot: Int, to at: Instant) {
        if connections[slot].heapPosition >= 0 {
            timers.update(at: Int(connections[slot].heapPosition), key: at, in: &connections)
        } else {
            timers.insert(slot, key: at, in: &connections)
        }
    }

    /// The time of a waiting client has come. While its tubes are being looked at, or delays that may be over, it gets
    /// a moment more: what became ready in time is still its own.
    mutating func timerWentOff(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait, !wait.isImpatient, now < epochValidUntil else {
            return waitTimedOut(slot, now: now)
        }
        switch choose(slot, now: now) {
        case .unknown: break
        case .nothing where maySweepFor(slot, now: now):
            awaitingSweep.append(Tube.Waiter(connection: id(of: slot), wait: connections[slot].waits))
        case .nothing, .job: return waitTimedOut(slot, now: now)
        }
        connections[slot].wait?.isImpatient = true
        moveTimer(slot, to: now + Queue.grace)
    }

    static let grace = Span.milliseconds(250)

    /// Whether a sweep that is under way, or about to be asked for, may make a job ready that has been due by now.
    private func maySweepFor(_ slot: Int, now: Instant) -> Bool {
        // When the next job is due was found out at the database, and is known here by so much later.
        guard isSweeping || nextSweep <= now + Queue.sweepLag else { return false }
        return connections[slot].watched.contains { tubes[$0].stored.delayed > 0 }
    }

    private static let sweepLag = Span.milliseconds(10)

    /// A sweep is done: nothing is left that became ready before it was asked for.
    mutating func serveSwept(now: Instant) {
        let waiters = awaitingSwept
        awaitingSwept = []
        for waiter in waiters where isWaiting(waiter) { _ = serve(waiter.connection.slot, now: now) }
    }

    mutating func waitTimedOut(_ slot: Int, now: Instant) {
        endWait(slot)
        answer(slot, isDeadlineSoon(slot) ? .deadlineSoon : .timedOut, now: now)
        resume(slot)
    }

    // MARK: Matching

    /// Gives a tube's jobs to the clients that wait for them, longest first. `isNews`: more is known of the tube than
    /// before, so that each waiting client is asked again.
    mutating func match(_ tube: Int, isNews: Bool = false, now: Instant) {
        guard tubes[tube].waiting > 0 else { return }
        if tubes[tube].pausedUntil != nil, !isNews {
            // To be known when the pause ends.
            if case .unknown = tubes[tube].front { refill(tube, now: now) }
            return
        }
        var at = 0
        while at < tubes[tube].waiters.count {
            switch tubes[tube].pausedUntil == nil ? tubes[tube].front : .empty {
            case .job: break
            case .empty: if !isNews { return }
            case .unknown: return refill(tube, now: now)
            }
            let waiter = tubes[tube].waiters[at]
            guard isWaiting(waiter) else {
                if at == 0 { tubes[tube].waiters.removeFirst() } else { at += 1 }
                continue
            }
            if !serve(waiter.connection.slot, now: now) { at += 1 }
        }
    }

    /// Answers a waiting client if it is due an answer.
    private mutating func serve(_ slot: Int, now: Instant) -> Bool {
        switch choose(slot, now: now) {
        case .job(let job):
            endWait(slot)
            give(job, to: slot, now: now)
            resume(slot)
            return true
        case .nothing:
            guard let wait = connections[slot].wait, wait.isImpatient else { return false }
            waitTimedOut(slot, now: now)
            return true
        case .unknown:
            return false
        }
    }

    // MARK: Holding

    var mayHoldMore: Bool { deadlines.count < configuration.maxHeldJobs }

    mutating func hold(_ job: Int, by slot: Int, now: Instant) {
        jobs[job].phase = .held
        jobs[job].owner = slot
        jobs[job].reservations.add(now)
        jobs[job].counters.reserves &+= 1
        setDeadline(job, now + .seconds(jobs[job].ttr), now: now)
        let first = connections[slot].firstHeld
        jobs[job].previous = -1
        jobs[job].next = first
        if first >= 0 { jobs[first].previous = job } else { connections[slot].lastHeld = job }
        connections[slot].firstHeld = job
        countHeld(job, 1)
        if sql.isSummoned { annotate(job) } else { unannounced.append(jobs[job].key.id, at: now) }
    }

    /// Takes a job out of its owner's hands; the caller says what becomes of it.
    mutating func unhold(_ job: Int) {
        clearDeadline(job)
        let owner = jobs[job].owner
        let previous = jobs[job].previous
        let next = jobs[job].next
        if previous >= 0 { jobs[previous].next = next } else { connections[owner].firstHeld = next }
        if next >= 0 { jobs[next].previous = previous } else { connections[owner].lastHeld = previous }
        jobs[job].owner = -1
    }
}

/// Reservations in their order, until each is told to SQL readers or has ended.
struct Unannounced: Sendable {
    private var entries: [(id: JobID, at: Instant)] = []
    private var head = 0

    var oldest: Instant? { head < entries.count ? entries[head].at : nil }

    mutating func append(_ id: JobID, at: Instant) {
        entries.append((id, at))
    }

    /// Takes the oldest, if it was made before this time.
    mutating func popFirst(before limit: Instant) -> JobID? {
        guard head < entries.count, entries[head].at <= limit else { return nil }
        let id = entries[head].id
        head += 1
        if head > 1024, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return id
    }
}
