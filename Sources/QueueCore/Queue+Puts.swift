/// Puts: each gets its id here and its reply when its batch has committed (invariant 1).
extension Queue {
    /// A put that waits for its tube's row or for an id.
    struct OrphanedPut {
        var tube: Int
        var key: String?
        var priority: UInt32
        var delay: UInt32
        var ttr: UInt32
        var body: Body
        var ticket: Ticket
        var issued: Instant
    }

    /// The line of a put has come and its body not yet: beanstalkd counts it now.
    public mutating func announcedPut(_ id: ConnectionID, isTooBig: Bool) {
        guard isOpen(id), !connections[id.slot].hasAnnouncedPut else { return }
        connections[id.slot].hasAnnouncedPut = true
        commands.put += 1
        if !isTooBig { becomeProducer(id.slot) }
    }

    mutating func put(
        _ slot: Int, key: String? = nil, priority: UInt32, delay: UInt32, ttr: UInt32, body: Body, now: Instant
    ) {
        becomeProducer(slot)
        if isDraining { return answer(slot, .draining, now: now) }
        let pending = isLarge(body) ? pendingLargeBytes : pendingBytes
        guard body.count <= configuration.maxBodyBytes,
            pending == 0 || pending + Queue.cost(of: body) <= configuration.maxPendingBytes
        else {
            return answer(slot, .outOfMemory, now: now)
        }
        let tube = connections[slot].used
        if delay == 0 {
            guard !isFull(tube) else { return answer(slot, .outOfMemory, now: now) }
            tubes[tube].puts += 1
        }
        tubes[tube].pins += 1
        countPending(body, 1)
        connections[slot].pendingBytes += Queue.cost(of: body)
        let put = OrphanedPut(
            tube: tube, key: key, priority: priority, delay: delay, ttr: max(1, ttr), body: body,
            ticket: openReply(slot, .put), issued: now)
        // Others' puts may wait for their tubes: only a client's own keep their order.
        if connections[slot].orphans == 0, let row = openRow(tube), let id = nextID() {
            issue(put, id: id, row: row)
        } else {
            addOrphan(put)
            adoptPuts(now: now)
        }
    }

    private func isLarge(_ body: Body) -> Bool { body.count > configuration.largeBodyBytes }

    private mutating func countPending(_ body: Body, _ n: Int) {
        if isLarge(body) {
            pendingLargeBytes += n * Queue.cost(of: body)
        } else {
            pendingBytes += n * Queue.cost(of: body)
        }
    }

    /// On which way a put goes. What a client puts behind a large body stays behind it.
    private func lane(of put: OrphanedPut) -> WriteKind {
        if isLarge(put.body) { return .largePuts }
        return lanes.largePuts.isIdle || !lanes.largePuts.hasPut(of: put.ticket.connection) ? .puts : .largePuts
    }

    /// Whether a put of the large ones must wait for those that its client has put before.
    func isBehindOthers(_ put: Put) -> Bool { lanes.puts.hasPut(of: put.ticket.connection) }

    /// Bytes of memory that a put takes while it waits for its commit, about.
    static func cost(of body: Body) -> Int { jobOverhead + body.count }

    /// Its tube is done with a put, whatever became of it.
    mutating func putEnded(_ tube: Int, delay: UInt32) {
        tubes[tube].pins -= 1
        if delay == 0 { tubes[tube].puts -= 1 }
    }

    /// A put has its answer: its body is no longer kept for it, and its client may go on.
    mutating func endPut(_ body: Body, _ ticket: Ticket, _ reply: Reply, now: Instant) {
        countPending(body, -1)
        fill(ticket, reply, now: now)
        guard isOpen(ticket.connection) else { return }
        let slot = ticket.connection.slot
        let wasBlocked = connections[slot].isBlocked
        connections[slot].pendingBytes -= Queue.cost(of: body)
        if wasBlocked { resume(slot) }
    }

    private mutating func issue(_ put: OrphanedPut, id: JobID, row: TubeID) {
        if let key = put.key { return issueUnique(put, key: key, id: id, row: row) }
        let key = JobKey(priority: put.priority, id: id)
        let isLeased =
            put.delay == 0 && isWithinReach(key, of: put.tube) && mayLease(put.tube, put.body.count)
            && limbo[id] == nil
        lanes[lane(of: put)].pending.puts.append(
            Put(
                id: id, tube: row, priority: put.priority, delay: put.delay, ttr: put.ttr, isLeased: isLeased,
                body: put.body, tubeSlot: put.tube, ticket: put.ticket, issued: put.issued))
    }

    /// Whether the cache is about to hold everything up to this key. Below the horizon it does; beyond, when the
    /// database has so few more that a refill or two reach the end: unless the puts behind those are born leased, the
    /// horizon never catches up with them.
    private func isWithinReach(_ key: JobKey, of tube: Int) -> Bool {
        key < tubes[tube].cache.horizon
            || tubes[tube].stored.ready - tubes[tube].leased < ReadyCache.largestChunk
    }

    mutating func addOrphan(_ put: OrphanedPut) {
        orphanedPuts.append(put)
        if isOpen(put.ticket.connection) { connections[put.ticket.connection.slot].orphans += 1 }
    }

    /// It is one no more.
    mutating func leftOrphans(_ put: OrphanedPut) {
        if isOpen(put.ticket.connection) { connections[put.ticket.connection.slot].orphans -= 1 }
    }

    /// Issues the puts that were waiting, in their order, as far as tubes and ids allow. Those into a tube that a SQL
    /// session is making wait for the end of its transaction, and hold up no others.
    mutating func adoptPuts(now: Instant) {
        var left: [OrphanedPut] = []
        var index = 0
        while index < orphanedPuts.count {
            let put = orphanedPuts[index]
            if let row = openRow(put.tube) {
                guard let id = nextID() else { break }
                leftOrphans(put)
                issue(put, id: id, row: row)
            } else {
                open(put.tube, now: now)
                guard tubes[put.tube].isHeldUp else {
                    openAhead(from: index + 1, now: now)
                    break
                }
                left.append(put)
            }
            index += 1
        }
        orphanedPuts.replaceSubrange(..<index, with: left)
    }

    /// Asks for the rows of the next tubes too: a transaction makes many of them as fast as one.
    private mutating func openAhead(from index: Int, now: Instant) {
        for put in orphanedPuts[index...].prefix(Queue.maxQueries - 1) where openRow(put.tube) == nil {
            open(put.tube, now: now)
        }
    }

    /// The row of this tube will not be had before somebody else's transaction has ended.
    mutating func heldUp(_ tube: Int, now: Instant) {
        guard !tubes[tube].isHeldUp else { return }
        tubes[tube].isHeldUp = true
        adoptPuts(now: now)
    }

    private mutating func open(_ tube: Int, now: Instant) {
        guard !tubes[tube].isOpening else { return }
        tubes[tube].isOpening = true
        tubes[tube].pins += 1
        ask(.openTube(tubes[tube].name), .openTube(tube: tube), now: now)
    }

    private mutating func nextID() -> JobID? {
        guard let range = ids.first else {
            idsWanted = true
            return nil
        }
        if range.count == 1 {
            ids.removeFirst()
            if ids.isEmpty { idsWanted = true }
        } else {
            ids[0] = range.lowerBound + 1...range.upperBound
        }
        idsUsed += 1
        return range.lowerBound
    }

    /// Whether a put of this id has not been answered: the job does not exist for anyone yet.
    func isPutInFlight(_ id: JobID) -> Bool {
        isInFlight(id, in: lanes.puts) || !lanes.largePuts.isIdle && isInFlight(id, in: lanes.largePuts)
    }

    /// Whether the outcome of a put that is born leased is awaited; by the lease of an epoch that has died it is
    /// nobody's.
    func isLeasedPutInFlight(_ id: JobID) -> Bool {
        isLeasedPutInFlight(id, in: lanes.puts)
            || !lanes.largePuts.isIdle && isLeasedPutInFlight(id, in: lanes.largePuts)
    }

    private func isLeasedPutInFlight(_ id: JobID, in lane: WriteLane) -> Bool {
        lane.inFlight.map {
            $0.epoch == epoch && contains($0.puts, id) && $0.puts.contains { $0.id == id && $0.isLeased }
        } ?? false
    }

    private func isInFlight(_ id: JobID, in lane: WriteLane) -> Bool {
        contains(lane.pending.puts, id) || lane.inFlight.map { contains($0.puts, id) } ?? false
    }

    private func contains(_ puts: [Put], _ id: JobID) -> Bool {
        // Ids grow along the array.
        guard let first = puts.first, let last = puts.last, first.id <= id, id <= last.id else { return false }
        return puts.contains { $0.id == id }
    }

    mutating func committed(_ put: Put, now: Instant) {
        let tube = put.tubeSlot
        totalJobs += 1
        tubes[tube].totalJobs += 1
        if !isStale { count(tube, 1, put.state, priority: put.priority) }
        putEnded(tube, delay: put.delay)
        if put.delay > 0 {
            scheduleSweep(now + .seconds(put.delay))
        } else if put.isLeased, !isStale, limbo[put.id] != nil {
            // Somebody has guessed its id: a query may be about to delete it.
            limbo[put.id]?.row = JobRow(put, lease: epoch)
        } else if put.isLeased, !isStale {
            cache(remember(Job(put: put, body: put.body, now: now)), now: now)
            match(tube, now: now)
        } else {
            let key = JobKey(priority: put.priority, id: put.id)
            tellOthers(put.tube, key)
            note(tube, key, now: now)
        }
        // Last: a reserve in the same packet comes after the clients that were waiting before.
        endPut(put.body, put.ticket, .inserted(put.id), now: now)
    }

    mutating func refused(_ put: Put, _ reply: Reply, now: Instant) {
        putEnded(put.tubeSlot, delay: put.delay)
        tubeReleased(put.tubeSlot, now: now)
        endPut(put.body, put.ticket, reply, now: now)
    }
}
