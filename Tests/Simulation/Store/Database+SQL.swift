@testable import QueueCore

/// The functions of migrations/ that SQL sessions call, done naively. Each is one transaction.
extension Database {
    struct SQLState {
        /// Until when sessions have jobs, by the database's clock. Their rows have negative leases.
        var leases: [JobID: Instant] = [:]
        var lastHolder: Int64 = 0
        var recall: Int64 = 0
        var reservations = 0
        /// The last recall that each broker has answered.
        var answered: [Int64: Int64] = [:]
        /// Tubes with changes that no broker has folded, and the keys of the jobs that became ready.
        var changes: [TubeID: [JobKey]] = [:]
        /// How many sessions are in the middle of a transaction.
        var open = 0
        /// Jobs that sessions have deleted.
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

    /// Whether every broker has answered the recall.
    func haveAnswered(_ recall: Int64) -> Bool { epochs.allSatisfy { sql.answered[$0] ?? 0 >= recall } }

    /// Who holds a job, as far as a session has to know.
    enum Holder { case nobody, broker, client }

    func holder(of row: Row) -> Holder {
        if mistake == .trustsRows { return row.reservedAt == nil ? .nobody : .client }
        if isFree(row) { return row.state == .ready && sole != nil ? .broker : .nobody }
        return row.reservedAt != nil ? .client : .broker
    }

    /// Leases the first jobs of a tube to a session for some time. There are none while a broker is the sole one.
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

    /// Why a session's lease of a job ends.
    enum Return { case late, released, steered(priority: UInt32) }

    /// Ends a session's lease.
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

    /// Ends the leases of sessions whose time is over.
    func endLeases(at now: Instant) {
        for id in sql.leases.filter({ $0.value <= clock(now) }).keys.sorted() where !locked.contains(id) {
            giveBackBySQL(id, .late, at: now)
        }
    }

    private func tell(_ tube: TubeID, _ first: JobKey?) {
        sql.changes[tube, default: []] += first.map { [$0] } ?? []
    }
}
