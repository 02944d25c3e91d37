/// Commands about jobs that are mostly not in memory: peek, kick, reserve-job, stats-job.
extension Queue {
    /// A job whose fate a query decides. Found leased meanwhile (by a refill), it waits here for the outcome;
    /// commands about it wait too.
    struct Limbo {
        var row: JobRow?
        var deferred: [ConnectionID] = []
    }

    /// Marks a job as being changed by a query; or, when one is under way, lets the command wait for its end.
    mutating func enterLimbo(_ id: JobID, for command: Command, _ slot: Int) -> Bool {
        guard limbo[id] != nil else {
            limbo[id] = Limbo()
            return true
        }
        let connection = self.id(of: slot)
        limbo[id]?.deferred.append(connection)
        connections[slot].parked = command
        return false
    }

    /// The query has been answered. `isUnchanged`: a row that was found meanwhile may be used.
    mutating func leaveLimbo(_ id: JobID, isUnchanged: Bool, now: Instant) {
        guard let left = limbo.removeValue(forKey: id) else { return }
        if isUnchanged, let row = left.row, let tube = tube(ofRow: row.tube) {
            insert(row, tube: tube, now: now)
            match(tube, now: now)
        }
        runParked(of: left.deferred, now: now)
    }

    /// Executes what these connections had to wait with.
    mutating func runParked(of connections: [ConnectionID], now: Instant) {
        for connection in connections where isOpen(connection) {
            let slot = connection.slot
            guard self.connections[slot].replies.isEmpty, let command = self.connections[slot].parked else { continue }
            self.connections[slot].parked = nil
            execute(command, slot, now: now)
            resume(slot)
        }
    }

    // MARK: Peek

    mutating func peek(_ slot: Int, _ id: JobID, now: Instant) {
        if let job = jobSlots[id], let body = jobs[job].body {
            answer(slot, .found(id, body), now: now)
        } else if isPutInFlight(id) {
            answer(slot, .notFound, now: now)
        } else {
            ask(.peek(id), .peek(openReply(slot)), now: now)
        }
    }

    mutating func peekReady(_ slot: Int, now: Instant) {
        let tube = connections[slot].used
        guard let row = tubes[tube].row else { return answer(slot, .notFound, now: now) }
        if case .job(let job, let key) = tubes[tube].front {
            guard let body = jobs[job].body else { return ask(.peek(key.id), .peek(openReply(slot)), now: now) }
            return answer(slot, .found(key.id, body), now: now)
        }
        tubes[tube].pins += 1
        ask(
            .first(tube: row, state: .ready, except: implicitlyHeld(in: tube)),
            .peekReady(openReply(slot), tube: tube), now: now)
    }

    mutating func peekFirst(_ slot: Int, _ state: StoredState, now: Instant) {
        guard let row = tubes[connections[slot].used].row else { return answer(slot, .notFound, now: now) }
        ask(.first(tube: row, state: state, except: []), .peek(openReply(slot)), now: now)
    }

    mutating func peeked(_ ticket: Ticket, _ rows: [JobRow], now: Instant) {
        guard let row = rows.first, let body = row.body else { return fill(ticket, .notFound, now: now) }
        guard row.flaw == nil else { return fill(ticket, .internalError, now: now) }
        fill(ticket, .found(row.id, body), now: now)
    }

    /// The database's first ready job, which this broker has not leased, against the first of those it has.
    mutating func peekedReady(_ ticket: Ticket, tube: Int, _ rows: [JobRow], now: Instant) {
        tubes[tube].pins -= 1
        defer { tubeReleased(tube, now: now) }
        guard let cached = tubes[tube].cache.heap.min, cached.key < (rows.first?.key ?? .end) else {
            return peeked(ticket, rows, now: now)
        }
        if let body = jobs[cached.slot].body {
            fill(ticket, .found(cached.key.id, body), now: now)
        } else {
            ask(.peek(cached.key.id), .peek(ticket), now: now)
        }
    }

    // MARK: Kick

    /// Rows that one statement of a kick makes ready at most: others must not wait long for it.
    static let kickChunk = 1000

    mutating func kick(_ slot: Int, bound: UInt32, now: Instant) {
        let tube = connections[slot].used
        guard let row = tubes[tube].row, bound > 0 else { return answer(slot, .kicked(0), now: now) }
        let ticket = openReply(slot)
        tubes[tube].pins += 1
        ask(
            .kick(tube: row, bound: min(Int(bound), Queue.kickChunk), state: nil),
            .kick(ticket, tube: tube, bound: Int(bound), done: 0), now: now)
    }

    mutating func kicked(_ ticket: Ticket, tube: Int, bound: Int, done: Int, _ readied: [Readied], now: Instant) {
        ready(readied, now: now)
        let count = readied.reduce(0) { $0 + $1.count }
        let total = done + count
        if count == Queue.kickChunk, total < bound, let row = tubes[tube].row {
            // The same kind again: a kick takes buried jobs or delayed ones, never both.
            return ask(
                .kick(tube: row, bound: min(bound - total, Queue.kickChunk), state: readied[0].from),
                .kick(ticket, tube: tube, bound: bound, done: total), now: now)
        }
        tubes[tube].pins -= 1
        tubeReleased(tube, now: now)
        fill(ticket, .kicked(total), now: now)
    }

    mutating func kickJob(_ slot: Int, _ id: JobID, now: Instant) {
        // Leased here it is ready or reserved; a put on its way is nobody's yet.
        guard jobSlots[id] == nil, !isPutInFlight(id) else { return answer(slot, .notFound, now: now) }
        guard enterLimbo(id, for: .kickJob(id), slot) else { return }
        ask(.kickJob(id), .kickJob(id, openReply(slot)), now: now)
    }

    /// Jobs have become ready in the database.
    mutating func ready(_ readied: [Readied], now: Instant) {
        for group in readied {
            tellOthers(group.tube, group.first)
            guard let tube = tubeSlotsByRow[group.tube] else { continue }
            if !isStale { count(tube, group.change) }
            note(tube, group.first, now: now)
        }
    }

    // MARK: Reserve-job

    mutating func reserveJob(_ slot: Int, _ id: JobID, now: Instant) {
        guard mayHoldMore else { return answer(slot, .outOfMemory, now: now) }
        if let job = jobSlots[id] {
            if jobs[job].isGivenUp { return awaitSettled(id, for: .reserveJob(id), slot) }
            guard jobs[job].phase == .cached else { return answer(slot, .notFound, now: now) }
            guard now < epochValidUntil else {
                connections[slot].parked = .reserveJob(id)
                awaitingEpoch.append(self.id(of: slot))
                return
            }
            becomeWorker(slot)
            return give(job, to: slot, isNamed: true, now: now)
        }
        guard !isPutInFlight(id) else { return answer(slot, .notFound, now: now) }
        guard enterLimbo(id, for: .reserveJob(id), slot) else { return }
        ask(.reserve(id), .reserve(id, openReply(slot)), now: now)
    }

    mutating func reserved(_ id: JobID, _ ticket: Ticket, _ rows: [JobRow], now: Instant) {
        guard rows.first?.flaw == nil else {
            leaveLimbo(id, isUnchanged: true, now: now)
            return fill(ticket, .internalError, now: now)
        }
        guard let row = rows.first, let tube = tube(ofRow: row.tube), let body = row.body else {
            leaveLimbo(id, isUnchanged: true, now: now)
            return fill(ticket, .notFound, now: now)
        }
        let job = remember(Job(row: row, tube: tube, phase: .held, now: now))
        jobs[job].body = nil
        if isOpen(ticket.connection) {
            becomeWorker(ticket.connection.slot)
            hold(job, by: ticket.connection.slot, now: now)
        } else {
            // Its client is gone: as if it had disconnected just after.
            countHeld(job, 1)
            giveBack(job, now: now)
        }
        leaveLimbo(id, isUnchanged: false, now: now)
        fill(ticket, .reserved(id, body), now: now)
    }

    // MARK: Statistics of a job

    /// Of a job that is in memory.
    func stateOfKnown(_ job: Int) -> JobState {
        let isHeld =
            jobs[job].phase == .held
            || jobs[job].phase == .settling && !jobs[job].isGivenUp && jobs[job].deadline != .never
        return isHeld ? .reserved : .ready
    }

    mutating func statsJob(_ slot: Int, _ id: JobID, now: Instant) {
        guard let job = jobSlots[id] else {
            if isPutInFlight(id) { return answer(slot, .notFound, now: now) }
            return ask(.job(id), .stats(openReply(slot)), now: now)
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
                    counters: known.counters)), now: now)
    }

    mutating func looked(_ ticket: Ticket, _ rows: [JobRow], now: Instant) {
        guard rows.first?.flaw == nil else { return fill(ticket, .internalError, now: now) }
        guard let row = rows.first, let tube = tubeSlotsByRow[row.tube] else {
            return fill(ticket, .notFound, now: now)
        }
        // It may have been made for this answer alone.
        defer { tubeReleased(tube, now: now) }
        let state = row.isReserved ? .reserved : JobState(row.state)
        let timeLeft = state == .reserved || state == .delayed ? Span.microseconds(row.left).wholeSeconds : 0
        fill(
            ticket,
            .job(
                JobStats(
                    id: row.id, tube: tubes[tube].name, state: state, priority: row.priority,
                    age: Span.microseconds(row.age).wholeSeconds, delay: row.delay, ttr: row.ttr, timeLeft: timeLeft,
                    counters: row.counters)), now: now)
    }
}
