/// Puts: a put gets its id here, and its reply when its batch has committed (docs/ARCHITECTURE.md, Invariants).
extension Queue {
    /// The line of a put has been received, and its body not yet. beanstalkd counts the put at this point.
    public mutating func putLineReceived(_ id: ConnectionID, isTooBig: Bool) {
        guard isOpen(id), !connections[id.slot].hasCountedPut else { return }
        connections[id.slot].hasCountedPut = true
        activity.commands.put += 1
        if !isTooBig { becomeProducer(id.slot) }
    }

    mutating func put(_ slot: Int, key: String? = nil, _ job: NewJob, now: Instant) {
        becomeProducer(slot)
        if puts.isDraining { return answer(slot, .draining) }
        let pending = isLarge(job.body) ? puts.pendingLargeBytes : puts.pendingBytes
        guard job.body.count <= configuration.maxBodyBytes,
            pending == 0 || pending + Queue.cost(of: job.body) <= configuration.maxPendingBytes
        else {
            activity.refusedPuts += 1
            return answer(slot, .outOfMemory)
        }
        let tube = connections[slot].used
        if job.delay == 0 {
            guard !isFull(tube) else {
                activity.refusedPuts += 1
                return answer(slot, .outOfMemory)
            }
            tubes[tube].putsInFlight += 1
        }
        pin(tube)
        countPending(job.body, 1)
        connections[slot].pendingBytes += Queue.cost(of: job.body)
        var put = PutRequest(job: job, key: key, tube: tube, ticket: openReply(slot, .put), issued: now)
        put.job.ttr = max(1, job.ttr)
        // Puts of one client keep their order; puts of others may overtake those that wait for their tubes.
        if connections[slot].waitingPuts == 0, let row = openRow(tube), let id = puts.ids.next() {
            issue(put, id: id, row: row)
        } else {
            addWaitingPut(put)
            issueWaitingPuts(now: now)
        }
    }

    private func isLarge(_ body: Body) -> Bool { body.count > configuration.largeBodyBytes }

    private mutating func countPending(_ body: Body, _ n: Int) {
        if isLarge(body) {
            puts.pendingLargeBytes += n * Queue.cost(of: body)
        } else {
            puts.pendingBytes += n * Queue.cost(of: body)
        }
    }

    /// The lane that a put takes. What a client puts behind its own large body stays behind it.
    private func lane(of put: PutRequest) -> WriteKind {
        if isLarge(put.job.body) { return .largePuts }
        return lanes.largePuts.isIdle || !lanes.largePuts.hasPut(of: put.ticket.connection) ? .puts : .largePuts
    }

    /// Whether a put of the lane of large bodies must wait for earlier puts of its client in the other lane.
    func isBehindOthers(_ put: Put) -> Bool { lanes.puts.hasPut(of: put.ticket.connection) }

    /// Bytes of memory that a put takes while it waits for its commit, about.
    static func cost(of body: Body) -> Int { jobOverhead + body.count }

    /// Gives the put its id and adds it to the batch that collects.
    mutating func issue(_ put: PutRequest, id: JobID, row: TubeID) {
        if let key = put.key { return issueUnique(put, key: key, id: id, row: row) }
        let key = JobKey(priority: put.job.priority, id: id)
        let isLeased =
            put.job.delay == 0 && isWithinReach(key, of: put.tube) && mayLease(put.tube, put.job.body.count)
            && jobs.undecided[id] == nil
        if isLeased { tubes[put.tube].leasedPuts += 1 }
        lanes[lane(of: put)].pending.puts.append(
            Put(
                id: id, tube: row, job: put.job, isLeased: isLeased, tubeSlot: put.tube, ticket: put.ticket,
                issued: put.issued))
    }

    /// Whether the cache is about to hold every job up to this key.
    ///
    /// Below the horizon it does. Beyond it, it will when the database has so few more jobs that a refill or two
    /// reach the end. If such puts were not born leased, the horizon would stay behind them for ever.
    private func isWithinReach(_ key: JobKey, of tube: Int) -> Bool {
        key < tubes[tube].cache.horizon
            || tubes[tube].stored.ready - tubes[tube].inMemory < ReadyCache.largestChunk
    }

    // MARK: Puts in flight

    /// Whether a put of this id has not been answered: the job does not exist for anybody yet.
    func isPutInFlight(_ id: JobID) -> Bool {
        isInFlight(id, in: lanes.puts) || !lanes.largePuts.isIdle && isInFlight(id, in: lanes.largePuts)
    }

    /// Whether a put that is born leased under this epoch awaits its outcome. The lease of an epoch that has died is
    /// void.
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

    // MARK: Outcomes

    mutating func committed(_ put: Put, now: Instant) {
        let tube = put.tubeSlot
        if put.isLeased { tubes[tube].leasedPuts -= 1 }
        activity.totalJobs += 1
        tubes[tube].totalJobs += 1
        notePut(tube, put.job)
        if !membership.isStale { count(tube, 1, put.job.state, priority: put.job.priority) }
        if put.job.delay > 0 {
            scheduleSweep(now + .seconds(put.job.delay))
        } else if put.isLeased, !membership.isStale, jobs.undecided[put.id] != nil {
            // A client has guessed the id: a query may be about to delete the job.
            jobs.undecided[put.id]?.row = JobRow(put, lease: membership.epoch)
        } else if put.isLeased, !membership.isStale {
            cache(remember(Job(put: put, now: now)), now: now)
        } else {
            let key = JobKey(priority: put.job.priority, id: put.id)
            tellPeers(put.tube, key)
            becameClaimable(tube, key)
        }
        endPut(put.job, of: tube, put.ticket, .inserted(put.id))
    }

    mutating func refused(_ put: Put, _ reply: Reply) {
        if put.isLeased { tubes[put.tubeSlot].leasedPuts -= 1 }
        endPut(put.job, of: put.tubeSlot, put.ticket, reply)
    }

    /// A put is over, whatever its outcome: its body is no longer charged to its client, which may go on.
    mutating func endPut(_ job: NewJob, of tube: Int, _ ticket: Ticket?, _ reply: Reply) {
        switch reply {
        case .outOfMemory, .internalError: activity.refusedPuts += 1
        default: break
        }
        unpin(tube)
        if job.delay == 0 { tubes[tube].putsInFlight -= 1 }
        countPending(job.body, -1)
        guard let ticket, isOpen(ticket.connection) else { return }
        let slot = ticket.connection.slot
        if connections[slot].isBlocked { mark(connection: slot) }
        connections[slot].pendingBytes -= Queue.cost(of: job.body)
        fill(ticket, reply)
    }
}
