@testable import QueueCore

/// The reader's two steps: the statements, whose answers tell what they did, and the commit, which is fenced.
extension Database {
    /// A transaction that has done its work and is not committed: others do not see it, and its rows are locked.
    final class Prepared {
        let epoch: Int64
        let answers: [Answer]
        fileprivate let rows: [JobID: Row?]
        fileprivate let kicks: Int
        fileprivate let history: ArraySlice<JobID>
        fileprivate let births: [JobID: Journal.Birth]
        fileprivate(set) var isOpen = true

        fileprivate init(
            epoch: Int64, answers: [Answer], rows: [JobID: Row?], kicks: Int, history: ArraySlice<JobID>,
            births: [JobID: Journal.Birth]
        ) {
            self.births = births
            self.history = history
            self.epoch = epoch
            self.answers = answers
            self.rows = rows
            self.kicks = kicks
        }
    }

    enum CommitOutcome {
        case committed, fenced
        /// The server has ended the transaction, or a look-up has claimed its place in the ledger.
        case aborted
    }

    /// `nil`: the transaction has to wait for a row that somebody has locked.
    func prepare(_ queries: [Query], epoch: Int64, at now: Instant) -> Prepared? {
        if !locked.isEmpty, queries.contains(where: { $0.awaited.map(locked.contains) ?? false }) { return nil }
        begin(epoch, at: now)
        undo = [:]
        unconfirmed = [:]
        let kicks = journal.kicks[epoch] ?? 0
        let recorded = history.count
        let answers = queries.map { run($0, epoch: epoch, at: now) }
        var after: [JobID: Row?] = [:]
        for (id, before) in undo ?? [:] {
            after[id] = .some(rows[id])
            if before == nil { unborn[id] = rows[id] }
            rows[id] = before
            locked.insert(id)
        }
        undo = nil
        defer {
            journal.kicks[epoch] = kicks
            history.removeSubrange(recorded...)
        }
        let prepared = Prepared(
            epoch: epoch, answers: answers, rows: after, kicks: (journal.kicks[epoch] ?? 0) - kicks,
            history: history[recorded...], births: unconfirmed)
        open.append(prepared)
        return prepared
    }

    func commit(_ prepared: Prepared, as key: LedgerKey, at now: Instant) -> CommitOutcome {
        guard prepared.isOpen else { return .aborted }
        rollBack(prepared, at: now)
        guard epochs.contains(prepared.epoch) || mistake == .noFence else { return .fenced }
        guard ledger[key] == nil else { return .aborted }
        ledger[key] = .batch
        begin(prepared.epoch, at: now)
        journal.births.merge(prepared.births) { first, _ in first }
        for (id, row) in prepared.rows { write(id, row) }
        journal.kicks[prepared.epoch, default: 0] += prepared.kicks
        history += prepared.history
        return .committed
    }

    func rollBack(_ prepared: Prepared, at now: Instant) {
        guard prepared.isOpen else { return }
        prepared.isOpen = false
        open.removeAll { $0 === prepared }
        locked.subtract(prepared.rows.keys)
        for id in prepared.rows.keys { unborn[id] = nil }
        // A broker that has skipped these rows meanwhile does not know that they may be claimed after all.
        begin(0, at: now)
        for id in prepared.rows.keys { rows[id]?.change = change }
    }
}
