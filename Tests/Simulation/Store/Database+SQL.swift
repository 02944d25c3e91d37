@testable import QueueCore

/// The functions of migrations/ that SQL sessions call, naively: each is one transaction.
extension Database {
    struct SQLState {
        /// Until when sessions have jobs, by the database's clock; their rows have negative leases.
        var leases: [JobID: Instant] = [:]
        var lastHolder: Int64 = 0
        var recall: Int64 = 0
        var reservations = 0
        /// The last summons that each broker has followed.
        var answered: [Int64: Int64] = [:]
        /// The tubes of what brokers have not folded, and what that has made ready.
        var changes: [TubeID: [JobKey]] = [:]
        /// Sessions in the middle of a transaction.
        var open = 0
        /// What sessions have ended.
        var deleted: Set<JobID> = []
    }

    struct Look {
        var recall: Int64
        var answered: Int64
        var reservations: Int64
        var changes: [SQLChange]
    }

    /// `nil`: the broker is dead.
    func look(_ epoch: Int64, at now: Instant) -> Look? {
        guard epochs.contains(epoch) else { return nil }
        endLeases(at: now)
        defer { sql.changes = [:] }
        let changes = tubes.filter { sql.changes[$0.id] != nil }.map { tube in
            SQLChange(tube: tube.row(counts: StateCounts(), at: clock(now)), first: sql.changes[tube.id]!.min())
        }
        return Look(
            recall: sql.recall, answered: sql.answered[epoch] ?? 0, reservations: Int64(sql.reservations),
            changes: changes)
    }

    /// Whether every broker has followed it.
    func haveAnswered(_ recall: Int64) -> Bool { epochs.allSatisfy { sql.answered[$0] ?? 0 >= recall } }

    /// What is to be known before a session touches a job.
    enum Holder { case nobody, broker, client }

    func holder(of row: Row) -> Holder {
        if mistake == .trustsRows { return row.reservedAt == nil ? .nobody : .client }
        if isFree(row) { return row.state == .ready && sole != nil ? .broker : .nobody }
        return row.reservedAt != nil ? .client : .broker
    }

    /// Leases the first jobs of a tube to a session, for so long; none while a broker is the sole one.
    func reserve(_ count: Int, of tube: TubeID, for lease: Span, at now: Instant) -> (holder: Int64, ids: [JobID]) {
        let until = clock(now) + lease
        sql.lastHolder += 1
        begin(0, at: now)
        let ids = claimable(in: tube).map(\.id).filter { !locked.contains($0) }.prefix(count)
        for id in ids {
            guard var row = rows[id] else { continue }
            row.lease = -sql.lastHolder
            row.reservedAt = clock(now)
            row.reservedUntil = until
            row.counters.reserves += 1
            write(id, row)
            sql.leases[id] = until
        }
        return (sql.lastHolder, Array(ids))
    }

    func deleteBySQL(_ id: JobID, at now: Instant) {
        guard let row = rows[id] else { return }
        begin(0, at: now)
        write(id, nil)
        if policies[row.tube]?.keepsHistory ?? false { history.append(id) }
        sql.leases[id] = nil
        sql.deleted.insert(id)
        tell(row.tube, nil)
    }

    /// Why a session has a job no more.
    enum Return { case late, released, steered(priority: UInt32) }

    /// Its lease ends.
    func giveBackBySQL(_ id: JobID, _ reason: Return, at now: Instant) {
        guard var row = rows[id] else { return }
        begin(0, at: now)
        row.lease = nil
        row.reservedAt = nil
        row.reservedUntil = nil
        let policy = policies[row.tube]
        var isBuried = false
        switch reason {
        case .late:
            row.counters.timeouts += 1
            isBuried = policy?.buryAfterTimeouts.map { row.counters.timeouts >= $0 } ?? false
        case .released:
            row.counters.releases += 1
            isBuried = policy?.buryAfterReleases.map { row.counters.releases >= $0 } ?? false
        case .steered(let priority): row.priority = priority
        }
        if isBuried {
            row.state = .buried
            row.counters.buries += 1
            lastBurial += 1
            row.buryOrder = lastBurial
        }
        write(id, row)
        sql.leases[id] = nil
        tell(row.tube, row.state == .ready ? row.key : nil)
    }

    /// The leases of sessions whose time is over.
    func endLeases(at now: Instant) {
        for id in sql.leases.filter({ $0.value <= clock(now) }).keys.sorted() where !locked.contains(id) {
            giveBackBySQL(id, .late, at: now)
        }
    }

    private func tell(_ tube: TubeID, _ first: JobKey?) {
        sql.changes[tube, default: []] += first.map { [$0] } ?? []
    }
}
