/// Undecided jobs: jobs that are not in memory and that a query under way may change.
///
/// A refill that reads such a job meanwhile leaves its row here, and other commands about the job wait for the answer.
extension Queue {
    struct UndecidedJob {
        /// The job as a refill has found it, with this broker's lease.
        var row: JobRow?
        /// The connections whose commands wait.
        var deferred: [ConnectionID] = []
    }

    /// Marks a job as undecided for a query that is about to be asked. Returns `false` when the job is undecided
    /// already; the command then waits.
    mutating func beginUndecided(_ id: JobID, for command: Command, _ slot: Int) -> Bool {
        guard jobs.undecided[id] != nil else {
            jobs.undecided[id] = UndecidedJob()
            return true
        }
        let connection = self.id(of: slot)
        jobs.undecided[id]?.deferred.append(connection)
        connections[slot].parked = command
        return false
    }

    /// The query has been answered. `isUnchanged`: the row that a refill has found meanwhile is still true.
    mutating func endUndecided(_ id: JobID, isUnchanged: Bool, now: Instant) {
        guard let job = jobs.undecided.removeValue(forKey: id) else { return }
        if isUnchanged, let row = job.row, let tube = tube(ofRow: row.tube) {
            insert(row, tube: tube, now: now)
        }
        mark(connections: job.deferred)
    }
}
