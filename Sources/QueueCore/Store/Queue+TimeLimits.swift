/// Commands that have waited too long for the database (docs/ARCHITECTURE.md, When the database is away).
extension Queue {
    /// Writes and queries that were not sent are taken back and refused. Of those that were sent the outcome is not
    /// known: their connections are closed without an answer.
    mutating func giveUpOldWrites(now: Instant) {
        let limit = now - configuration.databaseTimeout
        for kind in WriteKind.allCases {
            guard let batch = lanes[kind].inFlight, lanes[kind].inFlightSince + batch.sendingTime <= limit else {
                continue
            }
            lanes[kind].inFlightSince = .never
            for put in batch.puts { abandon(put.ticket) }
            for change in batch.stateChanges { abandon(change.ticket) }
            for delete in batch.deletes { abandon(delete.ticket) }
        }
        if queries.inFlightSince <= limit {
            queries.inFlightSince = .never
            for query in queries.inFlight { abandon(query.ticket) }
        }
        for (query, _) in queries.answersAwaitingRenewal where query.issued <= limit { abandon(query.ticket) }
        giveUpPending(limit, now: now)
        giveUpWaitingPuts(limit)
        let old = queries.waiting.filter { $0.issued <= limit && $0.ticket != nil }
        guard !old.isEmpty else { return }
        queries.waiting.removeAll { $0.issued <= limit && $0.ticket != nil }
        for query in old { refused(query, now: now) }
    }

    private mutating func giveUpPending(_ limit: Instant, now: Instant) {
        for kind in WriteKind.ofPuts {
            // Behind a large body the wait is longer.
            let limit = limit - (lanes[kind].inFlight?.sendingTime ?? .seconds(0))
            let puts = lanes[kind].pending.puts.prefix { $0.issued <= limit }
            lanes[kind].pending.puts.removeFirst(puts.count)
            for put in puts { refused(put, .internalError) }
        }
        let stateChanges = lanes.changes.pending.stateChanges.filter { $0.issued <= limit && $0.ticket != nil }
        if !stateChanges.isEmpty {
            lanes.changes.pending.stateChanges.removeAll { $0.issued <= limit && $0.ticket != nil }
            for change in stateChanges { refused(change.slot, change.wasHeld, change.ticket, now: now) }
        }
        let deletes = lanes.changes.pending.deletes.filter { $0.issued <= limit }
        if !deletes.isEmpty {
            lanes.changes.pending.deletes.removeAll { $0.issued <= limit }
            for delete in deletes { refused(delete.slot, delete.wasHeld, delete.ticket, now: now) }
        }
    }
}
