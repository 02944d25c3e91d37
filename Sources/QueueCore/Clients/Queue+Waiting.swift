import DequeModule

/// Clients that wait for a job, and the matching of jobs with them.
extension Queue {
    mutating func wait(_ slot: Int, until: Instant?, isImpatient: Bool, now: Instant) {
        connections[slot].waits += 1
        connections[slot].wait = Connection.Wait(until: until, isImpatient: isImpatient)
        connections.waiting += 1
        let waiter = Tube.Waiter(connection: id(of: slot), wait: connections[slot].waits)
        for tube in connections[slot].watched {
            tubes[tube].waiting += 1
            tubes[tube].waiters.append(waiter)
            publishWait(tube)
            if tubes[tube].hasManyStaleWaiters {
                tubes[tube].waiters = Deque(tubes[tube].waiters.filter { isWaiting($0) })
            }
        }
        setTimer(slot, now: now)
    }

    func isWaiting(_ waiter: Tube.Waiter) -> Bool {
        let slot = waiter.connection.slot
        return connections[slot].generation == waiter.connection.generation && connections[slot].wait != nil
            && connections[slot].waits == waiter.wait
    }

    /// Ends a wait. The caller answers the client.
    mutating func endWait(_ slot: Int) {
        connections[slot].wait = nil
        connections.waiting -= 1
        for tube in connections[slot].watched { tubes[tube].waiting -= 1 }
        connections.clearTimer(slot)
    }

    mutating func setTimer(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait else { return }
        // An impatient client is answered when its tubes are known. The timer only limits how long that may take.
        guard let at = wait.isImpatient ? now + configuration.databaseTimeout : wait.until else { return }
        connections.setTimer(slot, to: max(at, now))
    }

    /// A waiting client is to be warned of a deadline.
    mutating func hasten(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait, !wait.isImpatient else { return }
        connections.setTimer(slot, to: now)
    }

    /// The wait of a client is over. While its tubes are being read, or a sweep is due that may make a job ready, the
    /// client waits a moment longer: a job that became ready in time is still its own.
    mutating func timerWentOff(_ slot: Int, now: Instant) {
        guard let wait = connections[slot].wait, !wait.isImpatient, now < epochValidUntil else {
            return waitTimedOut(slot)
        }
        switch choose(slot, now: now) {
        case .unknown: break
        case .nothing where maySweepFor(slot, now: now):
            schedule.waitersForNextSweep.append(Tube.Waiter(connection: id(of: slot), wait: connections[slot].waits))
        case .nothing, .job: return waitTimedOut(slot)
        }
        connections[slot].wait?.isImpatient = true
        connections.setTimer(slot, to: now + Queue.grace)
    }

    static let grace = Span.milliseconds(250)

    /// Whether a sweep that is under way, or about to be asked for, may make a job ready whose delay is over by now.
    private func maySweepFor(_ slot: Int, now: Instant) -> Bool {
        // When the next delay ends is known here some milliseconds later than in the database.
        guard schedule.isSweeping || schedule.nextSweep <= now + Queue.sweepLag else { return false }
        return connections[slot].watched.contains { tubes[$0].stored.delayed > 0 }
    }

    private static let sweepLag = Span.milliseconds(10)

    /// A sweep has been answered: every job that became ready before the sweep was asked for is known. Answers the
    /// clients that waited for that.
    mutating func serveSwept() {
        mark(waiters: schedule.waitersForSweepInFlight)
        schedule.waitersForSweepInFlight = []
    }

    mutating func waitTimedOut(_ slot: Int) {
        endWait(slot)
        answer(slot, isDeadlineSoon(slot) ? .deadlineSoon : .timedOut)
        mark(connection: slot)
    }

    // MARK: Matching

    /// Gives a tube's jobs to the clients that wait for them, the longest wait first. `isNews`: more is known of the
    /// tube than before, so each waiting client is served anew, also when the tube has no job. Only `conclude` calls it.
    mutating func match(_ tube: Int, isNews: Bool, now: Instant) {
        guard tubes[tube].waiting > 0 else { return }
        if tubes[tube].pausedUntil != nil, !isNews {
            // So that its first job is known when the pause ends.
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
    mutating func serve(_ slot: Int, now: Instant) -> Bool {
        switch choose(slot, now: now) {
        case .job(let job):
            endWait(slot)
            give(job, to: slot, now: now)
            mark(connection: slot)
            return true
        case .nothing:
            guard let wait = connections[slot].wait, wait.isImpatient else { return false }
            waitTimedOut(slot)
            return true
        case .unknown:
            return false
        }
    }
}
