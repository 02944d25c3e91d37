@testable import QueueCore

/// Invariant 2: one holder. Invariant 3: no resurrection.
extension Checker {
    func checkReserved(_ client: RemoteClient, _ asked: ClientRecord.Asked, _ id: JobID, _ body: Body) {
        checkBody(id, body)
        let node = client.node
        if case .reserveJob = asked.command { simulation.coverage.reach(.reservedByID) } else { checkTube(client, id) }
        let decided = node.broker.queue.held(id)?.reservations.last
        if node.isDead {
            // Nobody holds what a dead broker gives out. But the broker has to know that it is dead before others may
            // have its jobs.
            if node.isHonest, decided == node.broker.now {
                fail(2, "\(node) is dead, and has given \(id) to \(client)")
            }
            return
        }
        if deleted.contains(id) { fail(3, "\(client) was given \(id) after it was deleted") }
        if let hold = holds[id], hold.isSure(in: database) {
            fail(2, "\(client) was given \(id), which \(hold.client) holds")
        }
        if let until = database.sql.leases[id], until > database.clock(simulation.now) {
            fail(2, "\(client) was given \(id), which a SQL session holds")
        }
        if database.sql.deleted.contains(id) { fail(3, "\(client) was given \(id) after SQL has deleted it") }
        guard let decided, let row = database.rows[id] else { return }
        holds[id] = Hold(client: client, epoch: node.broker.queue.epoch, until: decided + .seconds(row.ttr))
        if case .reserveJob = asked.command { return }
        if decided == node.broker.now { checkSmallest(client, row.key) }
    }

    /// A SQL session has reserved a job.
    func sqlTook(_ id: JobID) {
        if let hold = holds[id], hold.isSure(in: database) {
            fail(2, "SQL was given \(id), which \(hold.client) holds")
        }
    }

    /// Invariant 8: the job is of a tube that the client watches.
    private func checkTube(_ client: RemoteClient, _ id: JobID) {
        guard let birth = database.journal.births[id] else { return }
        guard let tube = database.journal.tubes[birth.tube] else { return }
        if !client.record.watched.contains(tube) { fail(8, "\(client) was given \(id) of \(tube), which it ignores") }
    }
}

extension Queue {
    func held(_ id: JobID) -> Job? {
        guard let slot = jobs.byID[id], jobs[slot].isHeld else { return nil }
        return jobs[slot]
    }
}
