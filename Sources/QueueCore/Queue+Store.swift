/// The store's side of the queue: batches and queries go out, what became of them comes back.
extension Queue {
    // MARK: The epoch

    /// A store has been found and this broker registered: everything may start.
    public mutating func attach(
        epoch: Int64, isSole: Bool = false, tubes rows: [TubeRow], validUntil: Instant, now: Instant
    ) {
        self.epoch = epoch
        sharing = isSole ? .sole : .shared
        countsMayBeOff = !isSole
        epochValidUntil = validUntil
        start()
        askPostponed(now: now)
        forgetRows(notIn: rows, now: now)
        learn(rows, isFirst: true, readAt: now, now: now)
        announceAgain()
        nextSweep = now
        nextTick = now
        noteAll()
        adoptPuts(now: now)
        matchAll(now: now)
        epochRenewed(now: now)
    }

    /// Clients that came before are heard from here on: what they ask for is known.
    private mutating func start() {
        guard !hasStarted else { return }
        hasStarted = true
        for slot in connections.slots where connections[slot].isOpen { resume(slot) }
    }

    /// The database may have lost tubes that are known here, and have given their numbers to others.
    private mutating func forgetRows(notIn rows: [TubeRow], now: Instant) {
        var lost: Set<TubeID> = []
        if !tubeRows.isEmpty {
            let lasting = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.id) })
            lost = Set(tubeRows.filter { lasting[$0.key] != $0.value }.values)
        }
        forgetRows(expecting: rows.count)
        heldRows = []
        touched = []
        for slot in listing {
            tubes[slot].row = nil
            tubes[slot].policy = nil
            tubes[slot].isHeldPublished = true
            tubes[slot].isTouched = false
            setCounts(slot, stored: StateCounts(), heldElsewhere: StateCounts())
        }
        lostRows = queriesInFlight.isEmpty ? lost : lostRows.union(lost)
        let asked = queries
        queries = []
        queries += refuseLost(of: asked, now: now)
    }

    private mutating func epochRenewed(now: Instant) {
        let waiting = awaitingEpoch
        awaitingEpoch = []
        runParked(of: waiting, now: now)
        let late = lapsed
        lapsed = []
        for (query, answer) in late { finish(query, answer, now: now) }
    }

    /// The heartbeat has been renewed; `peers`: how many other brokers live; `hasLostPeer`: one has gone since the last
    /// time; `isSole`: what this one's row says.
    public mutating func renew(
        validUntil: Instant, peers: Int, hasLostPeer: Bool = false, isSole: Bool, now: Instant
    ) {
        if peers > 0 || sql.isSharing || !isSole { endSole(isWritten: isSole, now: now) }
        let wasValid = now < epochValidUntil
        epochValidUntil = validUntil
        let wasAlone = self.peers == 0
        self.peers = peers
        if sharing != .sole { countsMayBeOff = true }
        if peers > 0, wasAlone {
            for slot in active {
                giveBackCache(slot, keeping: tubes[slot].waiting, now: now)
                if tubes[slot].waiting > 0 { announceWait(slot) }
            }
        }
        if hasLostPeer || peers == 0 && !wasAlone { forgetHeldElsewhere(isAll: peers == 0) }
        // What the dead had leased lies anywhere in the tubes; and while this is not the sole broker, another one may
        // have come and gone between two heartbeats.
        let mayMiss = hasLostPeer || peers == 0 && sharing == .shared
        if mayMiss { noteAll() }
        if !wasValid || mayMiss { matchAll(now: now) }
        if !wasValid { epochRenewed(now: now) }
    }

    /// The connection to the database was lost and is back, and what this broker has committed is there: the keeper has
    /// seen to that. What was only read, without a lease, may be old, and is read anew (design, section 7). A lease
    /// that is in its row is kept in mind: forgotten, it would keep the job from everybody else too.
    public mutating func reconnected(now: Instant) {
        for slot in active {
            for entry in tubes[slot].cache.heap.entries where jobs[entry.slot].isImplicit {
                uncache(entry.slot)
                forget(entry.slot)
            }
        }
        readOwnLeases()
        for slot in listing { tubeReleased(slot, now: now) }
        matchAll(now: now)
    }

    /// The epoch is dead: all leases are void. Clients that hold jobs are cut off, since they hold them no more;
    /// puts that were not committed wait for the next epoch.
    public mutating func detach(now: Instant) {
        guard epoch != 0 else { return }
        epoch = 0
        sharing = .shared
        sql = SQLSessions()
        epochValidUntil = now
        // Whoever thought this broker dead may have moved the sequence (an import).
        forgetIDs()
        let lost = WriteKind.allCases.map { lanes[$0].pending }
        for kind in WriteKind.allCases { lanes[kind].pending = WriteBatch(epoch: 0) }
        for batch in lost {
            for put in batch.puts { orphan(put) }
            dropLeases(of: batch.moves, batch.deletes, now: now)
        }
        for slot in connections.slots where connections[slot].firstHeld >= 0 {
            outboxes[connections[slot].outbox].append(.close(id(of: slot)))
            while connections[slot].firstHeld >= 0 {
                let job = connections[slot].firstHeld
                unhold(job)
                countHeld(job, -1)
                forget(job)
            }
        }
        for slot in active {
            for entry in tubes[slot].cache.heap.entries {
                uncache(entry.slot)
                forget(entry.slot)
            }
            tubes[slot].cache.note(.first)
        }
        for id in limbo.keys { limbo[id]?.row = nil }
        queries += (lapsed + strangers).map(\.query)
        lapsed = []
        strangers = []
    }

    /// Rows of `tube`, as they were at some time after `readAt`: at the start all of them, later what other brokers or
    /// SQL have made of them.
    ///
    /// `isLast`: no more of the same reading come.
    public mutating func learn(
        _ rows: [TubeRow], isFirst: Bool = false, isLast: Bool = true, readAt: Instant, now: Instant
    ) {
        for row in rows where !goneRows.contains(row.id) {
            rememberRow(row.id, row.name)
            let known = tubeSlots[row.name]
            if known == nil, row.counts.total == 0, row.pauseLeft <= 0 { continue }
            let slot = known ?? addTube(named: row.name)
            let isNew = tubes[slot].row != row.id
            setRow(slot, row.id)
            if isNew || isFirst || countsMayBeOff {
                setCounts(slot, stored: row.counts, heldElsewhere: row.heldElsewhere)
            }
            if isNew { tubes[slot].cache.note(.first) }
            learnPause(slot, row, readAt: readAt, now: now)
            if isNew { match(slot, now: now) }
            tubeReleased(slot, now: now)
        }
        guard isLast else { return }
        if isCountedAlone { countsMayBeOff = false }
        let known = strangers
        strangers = []
        for (query, answer) in known { finish(query, answer, now: now) }
    }

    mutating func matchAll(now: Instant) {
        for slot in active { match(slot, isNews: true, now: now) }
    }

    // MARK: Ids

    /// How many ids to fetch, or `nil` while there are enough: about twice what was used since the last fetch.
    public mutating func takeIDRequest() -> Int? {
        let left = ids.reduce(0) { $0 + $1.count }
        guard epoch != 0, idsWanted || left < idsUsed / 2 else { return nil }
        let count = min(max(Queue.fewestIDs, idsUsed * 2), Queue.mostIDs)
        idsWanted = false
        idsUsed = 0
        return count
    }

    /// Whether `takeIDRequest` has something to say.
    public var needsIDs: Bool { epoch != 0 && idsWanted }

    static let fewestIDs = 100
    static let mostIDs = 100_000

    /// Ids that nobody else will get.
    public mutating func add(ids new: [ClosedRange<JobID>], now: Instant) {
        ids += new
        adoptPuts(now: now)
    }

    /// Others may have been given the ids that were not used.
    public mutating func forgetIDs() {
        ids = []
        idsWanted = true
    }

    /// The request failed: ask again.
    public mutating func idRequestFailed() { idsWanted = true }

    // MARK: Batches

    /// Whether no client waits for a write any more.
    public var isSettled: Bool {
        WriteKind.allCases.allSatisfy { lanes[$0].isIdle } && orphanedPuts.isEmpty && queriesInFlight.isEmpty
            && closing.isEmpty && !queries.contains { $0.purpose.ticket != nil } && postponed.isEmpty
    }

    /// Whether the writer of this kind should come.
    public func hasWrites(_ kind: WriteKind) -> Bool {
        guard epoch != 0, lanes[kind].inFlight == nil else { return false }
        if kind == .changes, sharing == .ending { return true }
        guard lanes[kind].pending.count >= lanes[kind].wanted else { return false }
        if kind == .largePuts { return lanes.largePuts.pending.puts.first.map { !isBehindOthers($0) } ?? false }
        return !lanes[kind].pending.isEmpty || kind == .changes && (!annotations.isEmpty || sql.answer != nil)
    }

    /// Everything of a kind that has collected, as one transaction; the next is given out when this has been finished.
    ///
    /// `atLeast`: so many operations are worth a transaction. `hasWrites` says when there are.
    public mutating func takeWrites(_ kind: WriteKind, atLeast count: Int = 1, now: Instant) -> WriteBatch? {
        lanes[kind].wanted = count > 1 ? count : 0
        guard hasWrites(kind) else { return nil }
        lanes[kind].wanted = 0
        let batch = kind == .changes && sharing == .ending ? endOfSole() : takePending(kind, now: now)
        guard !batch.isEmpty else { return nil }
        isCountedAlone = false
        lanes[kind].inFlight = batch
        lanes[kind].inFlightSince = now
        return batch
    }

    private mutating func takePending(_ kind: WriteKind, now: Instant) -> WriteBatch {
        var batch = WriteBatch(epoch: epoch)
        swap(&batch, &lanes[kind].pending)
        batch.epoch = epoch
        batch.isSole = sharing == .sole
        switch kind {
        case .puts where pendingBytes <= configuration.maxBatchBytes: break
        case .puts, .largePuts: splitPuts(of: &batch, kind)
        case .changes:
            batch.annotations = takeAnnotations(now: now)
            batch.answer = sql.answer
            sql.answer = nil
        }
        return batch
    }

    /// Leaves for the next batch what is over the limit of bytes, or must wait.
    private mutating func splitPuts(of batch: inout WriteBatch, _ kind: WriteKind) {
        var bytes = 0
        let cut = batch.puts.firstIndex { put in
            bytes += put.body.count
            return bytes > configuration.maxBatchBytes && bytes > put.body.count
                || kind == .largePuts && isBehindOthers(put)
        }
        if let cut {
            lanes[kind].pending.puts = Array(batch.puts[cut...])
            batch.puts.removeSubrange(cut...)
        }
    }

    private mutating func takeAnnotations(now: Instant) -> [Annotation] {
        guard !annotations.isEmpty else { return [] }
        var taken: [Annotation] = []
        for id in annotations {
            guard let job = jobSlots[id], jobs[job].needsAnnotation else { continue }
            jobs[job].needsAnnotation = false
            // One that settles is written whole.
            guard jobs[job].phase != .settling else { continue }
            var reserved: (since: Int64, left: Int64)?
            if jobs[job].phase == .held {
                reserved = ((now - jobs[job].reservations.last).microseconds, (jobs[job].deadline - now).microseconds)
            }
            jobs[job].isAnnotated = reserved != nil
            taken.append(
                Annotation(
                    id: id, reserved: reserved, counters: jobs[job].counters,
                    reservations: jobs[job].reservations, wasImplicit: jobs[job].isImplicit))
            jobs[job].isImplicit = false
        }
        annotations.removeAll(keepingCapacity: true)
        return taken
    }

    /// What became of the batch that was taken, in one part or in several.
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
        guard batch.epoch == epoch else { return finishStale(batch, outcome, now: now) }
        switch outcome {
        case .committed:
            for put in batch.puts { committed(put, now: now) }
            for move in batch.moves { committed(move, now: now) }
            for delete in batch.deletes { committed(delete, now: now) }
            if batch.endsSole { soleHasEnded(now: now) }
        case .committedWithout(let missing):
            for put in batch.puts { committed(put, now: now) }
            committed(batch, without: missing, now: now)
        case .refused(.idTaken):
            for put in batch.puts { orphan(put) }
            adoptPuts(now: now)
        case .refused(.tubeGone):
            // Which of them is not told, and asking for a row that is there changes nothing.
            for put in batch.puts {
                tubes[put.tubeSlot].isRowGone = true
                orphan(put)
            }
            adoptPuts(now: now)
        case .refused(let refusal):
            if batch.endsSole { soleHasNotEnded(batch.leases) }
            if sql.answer == nil { sql.answer = batch.answer }
            for annotation in batch.annotations {
                guard let job = jobSlots[annotation.id] else { continue }
                if annotation.wasImplicit { jobs[job].isImplicit = true }
                annotate(job)
            }
            for put in batch.puts { refused(put, refusal.replyToPut, now: now) }
            for move in batch.moves { refused(move.slot, move.wasHeld, move.ticket, now: now) }
            for delete in batch.deletes { refused(delete.slot, delete.wasHeld, delete.ticket, now: now) }
        case .fenced:
            for put in batch.puts { orphan(put) }
            dropLeases(of: batch.moves, batch.deletes, now: now)
            detach(now: now)
        }
    }

    /// What became of a batch whose epoch has died meanwhile: its leases are void whatever the outcome.
    private mutating func finishStale(_ batch: WriteBatch, _ outcome: WriteOutcome, now: Instant) {
        switch outcome {
        case .committed: committedStale(batch, without: [], now: now)
        case .committedWithout(let missing): committedStale(batch, without: Set(missing.map(\.id)), now: now)
        case .refused(let refusal) where refusal != .idTaken && refusal != .tubeGone:
            for put in batch.puts { refused(put, refusal.replyToPut, now: now) }
            dropLeases(of: batch.moves, batch.deletes, now: now)
        case .refused, .fenced:
            for put in batch.puts { orphan(put) }
            dropLeases(of: batch.moves, batch.deletes, now: now)
            adoptPuts(now: now)
        }
    }

    private mutating func committedStale(_ batch: WriteBatch, without missing: Set<JobID>, now: Instant) {
        isStale = true
        for put in batch.puts { committed(put, now: now) }
        isStale = false
        for move in batch.moves {
            drop(move.slot, move.wasHeld, nil, now: now)
            let reply = missing.contains(move.id) ? Reply.notFound : move.to == .buried ? .buried : .released
            if let ticket = move.ticket { fill(ticket, reply, now: now) }
        }
        for delete in batch.deletes {
            let isDeleted = !missing.contains(delete.id)
            if isDeleted { tubes[jobs[delete.slot].tube].deletes += 1 }
            drop(delete.slot, delete.wasHeld, nil, now: now)
            fill(delete.ticket, isDeleted ? .deleted : .notFound, now: now)
        }
    }

    private mutating func orphan(_ put: Put) {
        addOrphan(
            OrphanedPut(
                tube: put.tubeSlot, priority: put.priority, delay: put.delay, ttr: put.ttr, body: put.body,
                ticket: put.ticket, issued: put.issued))
    }

    /// Changes that needed a lease which is void now: whether the job is still there for its client is not known.
    private mutating func dropLeases(of moves: [Move], _ deletes: [Delete], now: Instant) {
        for move in moves { drop(move.slot, move.wasHeld, move.ticket, now: now) }
        for delete in deletes { drop(delete.slot, delete.wasHeld, delete.ticket, now: now) }
    }

    private mutating func drop(_ job: Int, _ wasHeld: Bool, _ ticket: Ticket?, now: Instant) {
        if wasHeld { countHeld(job, -1) }
        let (id, tube) = (jobs[job].key.id, jobs[job].tube)
        let isMet = reclaimed[id] != nil || jobs[job].mustBeReread
        forget(job)
        if isMet {
            // A refill of the next epoch has its lease, and could not take it up.
            tubes[tube].cache.readsOwn = true
            note(tube, .first, now: now)
        }
        tubeReleased(tube, now: now)
        if let ticket { abandon(ticket) }
        settled(id, now: now)
    }
}
