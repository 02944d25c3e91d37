/// The broker's epoch: it begins when the store is attached, is renewed with each heartbeat, and ends when the store
/// finds the broker declared dead (docs/ARCHITECTURE.md, Leases and epochs).
extension Queue {
    /// The broker is registered under a new epoch, and everything may start. `rows` are all rows of `tube`.
    public mutating func attach(
        epoch: Int64, isSole: Bool = false, tubes rows: [TubeRow], validUntil: Instant, now: Instant
    ) {
        membership.epoch = epoch
        membership.sharing = isSole ? .sole : .shared
        tubes.recount.mayBeOff = !isSole
        membership.validUntil = validUntil
        start()
        askPostponed(now: now)
        forgetRows(notIn: rows, now: now)
        take(rows, isFirst: true, readAt: now, now: now)
        haveLearnt(now: now)
        republishWaits()
        schedule.nextSweep = now
        schedule.nextTick = now
        lowerAllHorizons()
        issueWaitingPuts(now: now)
        markNewsOfAll()
        conclude(now: now)
        epochRenewed(now: now)
    }

    /// Clients that have connected before are heard from now on: what they ask about is known.
    private mutating func start() {
        guard !membership.hasStarted else { return }
        membership.hasStarted = true
        for slot in connections.slots where connections[slot].isOpen { mark(connection: slot) }
    }

    /// The database may have lost tubes that are known here, and may have given their numbers to others.
    private mutating func forgetRows(notIn rows: [TubeRow], now: Instant) {
        var lost: Set<TubeID> = []
        if !tubes.rows.byName.isEmpty {
            let lasting = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.id) })
            lost = Set(tubes.rows.byName.filter { lasting[$0.key] != $0.value }.values)
        }
        forgetRows(expecting: rows.count)
        tubes.heldRows = []
        tubes.recount.rows = []
        for slot in tubes.listing {
            tubes[slot].row = nil
            tubes[slot].policy = nil
            tubes[slot].isHeldPublished = true
            tubes[slot].isMarkedForRecount = false
            setCounts(slot, stored: StateCounts(), heldElsewhere: StateCounts())
        }
        tubes.rows.lost = queries.inFlight.isEmpty ? lost : tubes.rows.lost.union(lost)
        let asked = queries.waiting
        queries.waiting = []
        queries.waiting += refuseLost(of: asked, now: now)
    }

    private mutating func epochRenewed(now: Instant) {
        let waiting = membership.commandsAwaitingRenewal
        membership.commandsAwaitingRenewal = []
        mark(connections: waiting)
        conclude(now: now)
        let answers = queries.answersAwaitingRenewal
        queries.answersAwaitingRenewal = []
        finish(answers, now: now)
    }

    /// The heartbeat has been renewed. `peers`: how many other brokers live. `hasLostPeer`: one of them has gone since the
    /// last renewal. `isSole`: what this broker's row says.
    public mutating func renew(
        validUntil: Instant, peers: Int, hasLostPeer: Bool = false, isSole: Bool, now: Instant
    ) {
        if peers > 0 || sql.isSharing || !isSole { endSole(isWritten: isSole) }
        let wasValid = now < epochValidUntil
        membership.validUntil = validUntil
        let wasAlone = self.peers == 0
        membership.peers = peers
        if sharing != .sole { tubes.recount.mayBeOff = true }
        if peers > 0, wasAlone {
            for slot in tubes.active {
                giveBackCache(slot, keeping: tubes[slot].waiting, now: now)
                if tubes[slot].waiting > 0 { publishWait(slot) }
            }
        }
        if hasLostPeer || peers == 0 && !wasAlone { forgetHeldElsewhere(isAll: peers == 0) }
        // The jobs that the dead broker had leased may lie anywhere in the tubes. And while this broker is not the sole
        // one, another may have come and gone between two heartbeats.
        let mayMiss = hasLostPeer || peers == 0 && sharing == .shared
        if mayMiss { lowerAllHorizons() }
        if !wasValid || mayMiss { markNewsOfAll() }
        conclude(now: now)
        if !wasValid { epochRenewed(now: now) }
    }

    /// The connection to the database was lost and is back, and the keeper has seen that the database has all commits
    /// of this broker.
    ///
    /// Jobs that were only read, without a lease, may have changed: they are read anew. A lease that is in its row is
    /// kept: if it were forgotten, nobody could get the job.
    public mutating func reconnected(now: Instant) {
        for slot in tubes.active {
            for entry in tubes[slot].cache.heap.entries where jobs[entry.slot].isImplicit {
                uncache(entry.slot)
                forget(entry.slot)
            }
        }
        lowerAllHorizons()
        markNewsOfAll()
        conclude(now: now)
    }

    /// The epoch is dead: all its leases are void. Connections of clients that hold jobs are closed, since they hold
    /// them no more. Puts that were not committed wait for the next epoch.
    public mutating func detach(now: Instant) {
        loseEpoch(now: now)
        conclude(now: now)
    }

    mutating func loseEpoch(now: Instant) {
        guard epoch != 0 else { return }
        membership.epoch = 0
        membership.sharing = .shared
        sql = SQLSessions()
        membership.validUntil = now
        // Whoever declared this broker dead may have moved the sequence (an import does).
        forgetIDs()
        let lost = WriteKind.allCases.map { lanes[$0].pending }
        for kind in WriteKind.allCases { lanes[kind].pending = WriteBatch(epoch: 0) }
        for batch in lost {
            for put in batch.puts { putAgain(put) }
            dropLeases(of: batch, now: now)
        }
        for slot in connections.slots where connections[slot].firstHeld >= 0 {
            connections.put(.close(id(of: slot)), for: slot)
            while connections[slot].firstHeld >= 0 {
                let job = connections[slot].firstHeld
                unhold(job)
                countHeld(job, -1)
                forget(job)
            }
        }
        for slot in tubes.active {
            for entry in tubes[slot].cache.heap.entries {
                uncache(entry.slot)
                forget(entry.slot)
            }
            tubes[slot].cache.lowerHorizon(to: .first)
        }
        for id in jobs.undecided.keys { jobs.undecided[id]?.row = nil }
        jobs.forgetEncounters()
        queries.waiting += (queries.answersAwaitingRenewal + queries.answersAwaitingTubes).map(\.query)
        queries.answersAwaitingRenewal = []
        queries.answersAwaitingTubes = []
    }
}
