/// The answers to queries of several commands, and to those that the broker asks by itself.
extension Queue {
    /// Whether the row is of a tube that somebody else has only just made.
    mutating func isOfUnknownTube(_ rows: [JobRow]) -> Bool {
        rows.first.map { $0.flaw == nil && tube(ofRow: $0.tube) == nil } ?? false
    }

    mutating func deleted(_ id: JobID, _ ticket: Ticket?, _ rows: [JobRow], now: Instant) {
        if let row = rows.first, let tube = tubes.byRow[row.tube] {
            if !membership.isStale { count(tube, -1, row.state, priority: row.priority) }
            tubes[tube].deletes += 1
            note(tube) { $0.deletes += 1 }
        }
        endUndecided(id, isUnchanged: rows.isEmpty, now: now)
        fill(ticket, rows.isEmpty ? .notFound : .deleted)
    }

    mutating func fetched(_ id: JobID, _ asked: PendingQuery, _ body: Body?, now: Instant) {
        let ticket = asked.ticket
        guard let body else {
            // Somebody has deleted the row, whatever its lease said.
            if let job = held(id, for: ticket) {
                unhold(job)
                lookFor(job, now: now)
            }
            return asked.isNamed ? fill(ticket, .notFound) : giveAnother(ticket, now: now)
        }
        guard held(id, for: ticket) != nil else {
            // The job's time to run was over before its body came: somebody else may have deleted it.
            return fill(ticket, .internalError)
        }
        fill(ticket, .reserved(id, body))
    }

    /// The job that a client was about to get does not exist: the client gets the next one, if that is known.
    private mutating func giveAnother(_ ticket: Ticket?, now: Instant) {
        guard let ticket, isOpen(ticket.connection), case .job(let job) = choose(ticket.connection.slot, now: now)
        else {
            return fill(ticket, .internalError)
        }
        uncache(job)
        hold(job, by: ticket.connection.slot, now: now)
        let id = jobs[job].key.id
        guard let body = jobs[job].body else {
            return ask(.fetch(id, isSole: sharing != .shared), for: ticket, now: now)
        }
        jobs[job].body = nil
        fill(ticket, .reserved(id, body))
    }

    /// The job whose body a client waits for. There is none if that client is gone: another client may have its slot,
    /// and the job.
    func held(_ id: JobID, for ticket: Ticket?) -> Int? {
        guard let ticket, isOpen(ticket.connection), let job = jobs.byID[id], jobs[job].isHeld,
            jobs[job].owner == ticket.connection.slot
        else { return nil }
        return job
    }

    mutating func opened(_ tube: Int, _ row: TubeID, isNew: Bool, now: Instant) {
        tubes[tube].isOpening = false
        tubes[tube].isOpeningBlocked = false
        setOpened(tube, row, isNew: isNew)
        issueWaitingPuts(now: now)
        markNews(tube)
    }

    mutating func setOpened(_ tube: Int, _ row: TubeID, isNew: Bool) {
        setRow(tube, row)
        if isNew { tellPeers(ofNew: row) }
        // Others may have put into a new tube, too, before the answer came. A sole broker misses nothing: what is put
        // before somebody watches the tube need not be read back.
        if !isNew || sharing != .sole { tubes[tube].cache.lowerHorizon(to: .first) }
    }

    mutating func polled(_ keys: [(tube: TubeID, key: JobKey)]) {
        schedule.isPolling = false
        for (row, key) in keys {
            if let tube = tubes.byRow[row] { becameClaimable(tube, key) }
        }
    }

    mutating func swept(_ readied: [Readied], more: Bool, nextDue: Int64?, now: Instant) {
        schedule.isSweeping = false
        ready(readied)
        serveSwept()
        if more || !schedule.waitersForNextSweep.isEmpty {
            scheduleSweep(now)
        } else if let nextDue {
            scheduleSweep(now + max(Span.microseconds(nextDue), .milliseconds(1)))
        }
    }

    /// Jobs have become ready in the database.
    mutating func ready(_ readied: [Readied]) {
        for group in readied {
            tellPeers(group.tube, group.first)
            guard let tube = tubes.byRow[group.tube] else { continue }
            if !membership.isStale { count(tube, group.change) }
            becameClaimable(tube, group.first)
        }
    }
}
