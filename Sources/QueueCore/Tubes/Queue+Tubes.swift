/// Tubes. A tube is made when it is first mentioned, and removed when nothing refers to it any more
/// (beanstalkd's doc/protocol.txt, Tubes).
extension Queue {
    /// The tube of this name, which is made if it does not exist.
    mutating func tube(named name: TubeName) -> Int {
        tubes.byName[name] ?? addTube(named: name)
    }

    /// Makes a tube that does not exist.
    mutating func addTube(named name: TubeName) -> Int {
        let slot = tubes.insert(Tube(name: name))
        if let ended = tubes.pauses.forgotten[name] { tubes[slot].pauseSetAt = ended }
        // A tube without a row has no jobs, as far as is known.
        tubes[slot].cache.horizon = .end
        if let row = tubes.rows.byName[name] { setRow(slot, row) }
        // Whatever made it may not need it in the end.
        markDropped(slot)
        return slot
    }

    /// Removes a tube that nothing refers to. Only `conclude` calls it.
    mutating func remove(tube slot: Int, now: Instant) {
        if tubes[slot].pausedUntil != nil {
            tubes.pauses.tubes.remove(slot)
            // The pause ends with the tube. Neither the row nor what was read of it before may bring the pause back.
            // At another broker the tube may be in use.
            if peers == 0 {
                ask(.pause(tubes[slot].name, seconds: 0), now: now)
                tubes.pauses.forgotten = tubes.pauses.forgotten.filter { $0.value > now - Queue.oldestNews }
                tubes.pauses.forgotten[tubes[slot].name] = now
            }
        }
        withdrawWait(slot)
        endLog(of: slot)
        setCounts(slot, stored: StateCounts(), heldElsewhere: StateCounts())
        tubes.remove(slot)
    }

    /// Whether a client may mention this tube.
    private func mayMention(_ name: TubeName) -> Bool {
        tubes.byName[name] != nil || tubes.listing.count < configuration.maxTubes
    }

    mutating func use(_ slot: Int, _ name: TubeName) {
        guard mayMention(name) else { return answer(slot, .outOfMemory) }
        let tube = tube(named: name)
        let before = connections[slot].used
        tubes[tube].using += 1
        connections[slot].used = tube
        stopUsing(before)
        answer(slot, .using(name))
    }

    mutating func watch(_ slot: Int, _ name: TubeName) {
        guard mayMention(name) else { return answer(slot, .outOfMemory) }
        let tube = tube(named: name)
        if !connections[slot].watched.contains(tube) {
            guard connections[slot].watched.count < Connection.maxWatched else {
                return answer(slot, .outOfMemory)
            }
            connections[slot].watched.append(tube)
            startWatching(tube)
        }
        answer(slot, .watching(connections[slot].watched.count))
    }

    mutating func ignore(_ slot: Int, _ name: TubeName, now: Instant) {
        guard let tube = tubes.byName[name], let at = connections[slot].watched.firstIndex(of: tube) else {
            return answer(slot, .watching(connections[slot].watched.count))
        }
        guard connections[slot].watched.count > 1 else { return answer(slot, .notIgnored) }
        // The last watched tube takes the place, as in beanstalkd.
        connections[slot].watched.swapAt(at, connections[slot].watched.count - 1)
        connections[slot].watched.removeLast()
        stopWatching(tube, now: now)
        answer(slot, .watching(connections[slot].watched.count))
    }

    mutating func startWatching(_ tube: Int) {
        tubes[tube].watching += 1
        tubes[tube].cache.idleSince = nil
        tubes.activate(tube)
    }

    mutating func stopWatching(_ tube: Int, now: Instant) {
        tubes[tube].watching -= 1
        if tubes[tube].watching == 0 { tubes[tube].cache.idleSince = now }
        markDropped(tube)
    }

    mutating func stopUsing(_ tube: Int) {
        tubes[tube].using -= 1
        markDropped(tube)
    }

    /// An operation under way needs the tube.
    mutating func pin(_ tube: Int) { tubes[tube].pins += 1 }

    mutating func unpin(_ tube: Int) {
        tubes[tube].pins -= 1
        markDropped(tube)
    }

    // MARK: Statistics

    /// A tube that is not known here may have jobs: SQL or another broker has put them a moment ago.
    mutating func statsTube(_ slot: Int, _ name: TubeName, now: Instant) {
        if let tube = tubes.byName[name] {
            answer(slot, .tube(stats(ofTube: tube, now: now)))
        } else {
            ask(.tube(name, pause: nil), for: openReply(slot), now: now)
        }
    }

    /// Nothing is learnt from the row: all tubes that have changed are read together.
    mutating func foundTube(_ ticket: Ticket?, _ name: TubeName, _ row: TubeRow?, now: Instant) {
        if let tube = tubes.byName[name] {
            fill(ticket, .tube(stats(ofTube: tube, now: now)))
        } else if let row {
            var stats = TubeStats(name: name)
            stats.jobs = JobCounts(stored: row.counts, held: row.heldElsewhere)
            if row.pauseLeft > 0 {
                stats.pause = row.pause
                stats.pauseTimeLeft = Span.microseconds(row.pauseLeft).wholeSecondsLeft
            }
            fill(ticket, .tube(stats))
        } else {
            fill(ticket, .notFound)
        }
    }

    func stats(ofTube slot: Int, now: Instant) -> TubeStats {
        let tube = tubes[slot]
        var stats = TubeStats(name: tube.name)
        stats.jobs = tube.jobs
        stats.totalJobs = tube.totalJobs
        stats.using = tube.using
        stats.watching = tube.watching
        stats.waiting = tube.waiting
        stats.deletes = tube.deletes
        stats.pauses = tube.pauses
        stats.pause = tube.pause
        stats.pauseTimeLeft = tube.pausedUntil.map { ($0 - now).wholeSecondsLeft } ?? 0
        return stats
    }

    /// What `stats` tells. Tools that search all jobs walk over the ids: aurora up to `total-jobs`, beanstalk_console up to
    /// the jobs that there are and `cmd-delete`. So these two count from the first job of the queue on. They never
    /// decrease: a counter that does counts as one that has started anew.
    mutating func statsForWalks() -> BrokerStats {
        var stats = stats()
        stats.totalJobs = max(activity.totalJobs, puts.ids.last)
        let existing = UInt64(max(0, stats.jobs.total))
        activity.deletesTold = max(
            activity.deletesTold, activity.commands.delete, puts.ids.last > existing ? puts.ids.last - existing : 0)
        stats.commands.delete = activity.deletesTold
        return stats
    }

    public func stats() -> BrokerStats {
        var stats = BrokerStats()
        stats.jobs = tubes.totals.jobs
        stats.commands = activity.commands
        stats.jobTimeouts = activity.jobTimeouts
        stats.totalJobs = activity.totalJobs
        stats.tubes = tubes.listing.count
        stats.connections = connections.count
        stats.producers = connections.producers
        stats.workers = connections.workers
        stats.waiting = connections.waiting
        stats.totalConnections = connections.opened
        stats.draining = puts.isDraining
        return stats
    }
}
