@testable import QueueCore

/// The writer's statements, done naively.
extension Database {
    /// `nil`: the batch has to wait for rows that somebody has locked.
    func run(_ batch: WriteBatch, as key: LedgerKey? = nil, at now: Instant) -> WriteOutcome? {
        guard epochs.contains(batch.epoch) || mistake == .noFence else { return .fenced }
        // A look-up has claimed the batch's place in the ledger: it must not happen any more.
        if let key, ledger[key] != nil { return .refused(.failed) }
        if isBlocked(batch) { return nil }
        if batch.puts.contains(where: { !isOpen($0.tube) }) { return .refused(.tubeGone) }
        if batch.puts.contains(where: { rows[$0.id] != nil }) {
            journal.offence = journal.offence ?? "an id was put twice"
            return .refused(.failed)
        }
        if let key { ledger[key] = .batch }
        begin(batch.epoch, at: now)
        for put in batch.puts { run(put, batch.epoch, at: now) }
        func has(_ id: JobID) -> Bool { rows[id].map { batch.isSole || $0.lease == batch.epoch } ?? false }
        let wanted = batch.stateChanges.map(\.id) + batch.annotations.map(\.id) + batch.deletes.map(\.id)
        let missing = wanted.filter { !has($0) }.map { MissingJob(id: $0, isThere: rows[$0] != nil) }
        for change in batch.stateChanges where has(change.id) { run(change, at: now) }
        for annotation in batch.annotations where has(annotation.id) { run(annotation, batch.epoch, at: now) }
        if let answer = batch.answer { sql.answered[batch.epoch] = answer }
        for delete in batch.deletes where has(delete.id) {
            if delete.ending != nil { history.append(delete.id) }
            write(delete.id, nil)
        }
        if batch.endsSole {
            if mistake != .soleForgetsLeases { for id in batch.leases { lease(id, to: batch.epoch) } }
            if sole == batch.epoch { sole = nil }
        }
        return missing.isEmpty ? .committed : .committedWithout(missing)
    }

    private func isBlocked(_ batch: WriteBatch) -> Bool {
        !locked.isEmpty
            && (batch.stateChanges.contains { locked.contains($0.id) }
                || batch.deletes.contains { locked.contains($0.id) }
                || batch.annotations.contains { locked.contains($0.id) }
                || batch.leases.contains { locked.contains($0) })
    }

    private func run(_ put: Put, _ epoch: Int64, at now: Instant) {
        journal.births[put.id] = Journal.Birth(tube: put.tube, body: put.job.body)
        write(
            put.id,
            Row(
                id: put.id, tube: put.tube, state: put.job.state, priority: put.job.priority, ttr: put.job.ttr,
                delay: put.job.delay,
                created: clock(now), due: clock(now) + .seconds(put.job.delay), lease: put.isLeased ? epoch : nil,
                body: put.job.body))
    }

    private func run(_ annotation: Annotation, _ epoch: Int64, at now: Instant) {
        // What others may claim is the same as before, so this is no change for the checker.
        rows[annotation.id]?.lease = epoch
        rows[annotation.id]?.reservedAt = annotation.reserved.map { clock(now) - .microseconds($0.since) }
        rows[annotation.id]?.reservedUntil = annotation.reserved.map { clock(now) + .microseconds($0.left) }
        rows[annotation.id]?.counters.reserves = annotation.counters.reserves
        rows[annotation.id]?.counters.timeouts = annotation.counters.timeouts
    }

    private func run(_ change: StateChange, at now: Instant) {
        guard var row = rows[change.id] else { return }
        checkPolicy(row, change)
        row.state = change.to
        row.priority = change.priority
        row.delay = change.delay
        if change.setsDue { row.due = clock(now) + .seconds(change.delay) }
        row.buryOrder = change.to == .buried ? nextBurial() : nil
        if !change.keepsLease { row.lease = nil }
        row.reservedAt = nil
        row.reservedUntil = nil
        let kicks = row.counters.kicks
        row.counters = change.counters
        row.counters.kicks = kicks
        write(change.id, row)
    }

    private func nextBurial() -> Int {
        lastBurial += 1
        return lastBurial
    }

    /// The lease ends what a dead broker's row said of a reservation.
    func lease(_ id: JobID, to epoch: Int64) {
        guard var row = rows[id], row.lease != epoch else { return }
        row.lease = epoch
        row.reservedAt = nil
        row.reservedUntil = nil
        write(id, row)
    }

    /// A job that reaches a limit of its tube is buried. A bury that was refused may come later.
    private func checkPolicy(_ row: Row, _ change: StateChange) {
        guard let policy = policies[row.tube], change.to != .buried, !mayRefuse else { return }
        func hasReached(_ limit: UInt32?, _ counter: KeyPath<JobCounters, UInt32>) -> Bool {
            guard let limit else { return false }
            return row.counters[keyPath: counter] < limit && limit <= change.counters[keyPath: counter]
        }
        if hasReached(policy.buryAfterTimeouts, \.timeouts) || hasReached(policy.buryAfterReleases, \.releases) {
            journal.offence = journal.offence ?? "\(change.id) has reached a limit of its tube, and is \(change.to)"
        }
    }
}
