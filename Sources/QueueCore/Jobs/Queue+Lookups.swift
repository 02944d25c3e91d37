/// Commands about jobs that are mostly not in memory: peek, kick, reserve-job, stats-job.
extension Queue {
    // MARK: Peek

    mutating func peek(_ slot: Int, _ id: JobID, now: Instant) {
        if let job = jobs.byID[id], let body = jobs[job].body {
            answer(slot, .found(id, body))
        } else if isPutInFlight(id) {
            answer(slot, .notFound)
        } else {
            ask(.peek(id), for: openReply(slot), now: now)
        }
    }

    mutating func peekReady(_ slot: Int, now: Instant) {
        let tube = connections[slot].used
        guard let row = tubes[tube].row else { return answer(slot, .notFound) }
        if case .job(let job, let key) = tubes[tube].front {
            guard let body = jobs[job].body else { return ask(.peek(key.id), for: openReply(slot), now: now) }
            return answer(slot, .found(key.id, body))
        }
        ask(
            .first(tube: row, state: .ready, except: implicitlyHeld(in: tube)), for: openReply(slot), pinning: tube,
            now: now)
    }

    mutating func peekFirst(_ slot: Int, _ state: StoredState, now: Instant) {
        guard let row = tubes[connections[slot].used].row else { return answer(slot, .notFound) }
        ask(.first(tube: row, state: state, except: []), for: openReply(slot), now: now)
    }

    mutating func peeked(_ ticket: Ticket?, _ rows: [JobRow]) {
        guard let row = rows.first, let body = row.body else { return fill(ticket, .notFound) }
        guard row.flaw == nil else { return fill(ticket, .internalError) }
        fill(ticket, .found(row.id, body))
    }

    /// Answers with the smaller of two jobs: the first cached one, and the first ready one in the database that is not
    /// leased here.
    mutating func peekedReady(_ ticket: Ticket?, tube: Int, _ rows: [JobRow], now: Instant) {
        guard let cached = tubes[tube].cache.heap.min, cached.key < (rows.first?.key ?? .end) else {
            return peeked(ticket, rows)
        }
        if let body = jobs[cached.slot].body {
            fill(ticket, .found(cached.key.id, body))
        } else {
            ask(.peek(cached.key.id), for: ticket, now: now)
        }
    }

    // MARK: Kick

    /// How many rows one query of a kick makes ready at most. Other queries must not wait long for it.
    static let kickChunk = 1000

    mutating func kick(_ slot: Int, bound: UInt32, now: Instant) {
        let tube = connections[slot].used
        guard let row = tubes[tube].row, bound > 0 else { return answer(slot, .kicked(0)) }
        ask(
            PendingQuery(
                query: .kick(tube: row, bound: min(Int(bound), Queue.kickChunk), state: nil),
                ticket: openReply(slot), tube: tube, issued: now, kick: (bound: Int(bound), done: 0)))
    }

    mutating func kicked(_ asked: PendingQuery, _ readied: [Readied], now: Instant) {
        noteKicks(readied)
        ready(readied)
        let count = readied.reduce(0) { $0 + $1.count }
        let left = asked.kick.bound - asked.kick.done - count
        if count == Queue.kickChunk, left > 0, let row = tubes[asked.tube].row {
            var next = asked
            next.issued = now
            next.kick.done += count
            // The same stored state again: a kick takes buried jobs or delayed ones, never both.
            next.query = .kick(tube: row, bound: min(left, Queue.kickChunk), state: readied[0].from)
            return ask(next)
        }
        fill(asked.ticket, .kicked(asked.kick.done + count))
    }

    mutating func kickJob(_ slot: Int, _ id: JobID, now: Instant) {
        // A job in memory is ready or reserved. A put in flight does not exist yet.
        guard jobs.byID[id] == nil, !isPutInFlight(id) else { return answer(slot, .notFound) }
        guard beginUndecided(id, for: .kickJob(id), slot) else { return }
        ask(.kickJob(id), for: openReply(slot), now: now)
    }

    // MARK: Reserve-job

    mutating func reserveJob(_ slot: Int, _ id: JobID, now: Instant) {
        guard mayHoldMore else { return answer(slot, .outOfMemory) }
        if let job = jobs.byID[id] {
            if jobs[job].isBeingGivenBack { return awaitSettled(id, for: .reserveJob(id), slot) }
            guard jobs[job].isCached else { return answer(slot, .notFound) }
            guard now < epochValidUntil else {
                connections[slot].parked = .reserveJob(id)
                membership.commandsAwaitingRenewal.append(self.id(of: slot))
                return
            }
            becomeWorker(slot)
            return give(job, to: slot, isNamed: true, now: now)
        }
        guard !isPutInFlight(id) else { return answer(slot, .notFound) }
        guard beginUndecided(id, for: .reserveJob(id), slot) else { return }
        ask(.reserve(id), for: openReply(slot), now: now)
    }

    mutating func reserved(_ id: JobID, _ ticket: Ticket?, _ rows: [JobRow], now: Instant) {
        guard rows.first?.flaw == nil else {
            endUndecided(id, isUnchanged: true, now: now)
            return fill(ticket, .internalError)
        }
        guard let row = rows.first, let tube = tube(ofRow: row.tube), let body = row.body else {
            endUndecided(id, isUnchanged: true, now: now)
            return fill(ticket, .notFound)
        }
        let job = remember(Job(row: row, tube: tube, phase: .held, now: now))
        jobs[job].body = nil
        if let ticket, isOpen(ticket.connection) {
            becomeWorker(ticket.connection.slot)
            hold(job, by: ticket.connection.slot, now: now)
        } else {
            // The client is gone: as if it had disconnected just after.
            countHeld(job, 1)
            giveBack(job, now: now)
        }
        endUndecided(id, isUnchanged: false, now: now)
        fill(ticket, .reserved(id, body))
    }

    // MARK: Statistics of a job

    /// The state of a job that is in memory.
    func stateOfKnown(_ job: Int) -> JobState {
        let isHeld =
            jobs[job].isHeld
            || jobs[job].isSettling && !jobs[job].isBeingGivenBack && jobs[job].deadline != .never
        return isHeld ? .reserved : .ready
    }

    mutating func statsJob(_ slot: Int, _ id: JobID, now: Instant) {
        guard let job = jobs.byID[id] else {
            if isPutInFlight(id) { return answer(slot, .notFound) }
            return ask(.job(id), for: openReply(slot), now: now)
        }
        let known = jobs[job]
        let state = stateOfKnown(job)
        answer(
            slot,
            .job(
                JobStats(
                    id: id, tube: tubes[known.tube].name, state: state,
                    priority: known.key.priority, age: (now - known.created).wholeSeconds, delay: known.delay,
                    ttr: known.ttr, timeLeft: state == .reserved ? (known.deadline - now).wholeSecondsLeft : 0,
                    counters: known.counters)))
    }

    mutating func looked(_ ticket: Ticket?, _ rows: [JobRow]) {
        guard rows.first?.flaw == nil else { return fill(ticket, .internalError) }
        guard let row = rows.first, let tube = tubes.byRow[row.tube] else {
            return fill(ticket, .notFound)
        }
        let state = row.isReserved ? .reserved : JobState(row.state)
        let timeLeft = state == .reserved || state == .delayed ? Span.microseconds(row.left).wholeSeconds : 0
        fill(
            ticket,
            .job(
                JobStats(
                    id: row.id, tube: tubes[tube].name, state: state, priority: row.priority,
                    age: Span.microseconds(row.age).wholeSeconds, delay: row.delay, ttr: row.ttr, timeLeft: timeLeft,
                    counters: row.counters)))
    }
}
