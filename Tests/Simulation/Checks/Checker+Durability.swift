@testable import QueueCore

/// Invariant 1: ack means durable. Invariant 7: no guessed outcomes.
extension Checker {
    func checkInserted(_ client: RemoteClient, _ id: JobID, _ body: Body) {
        if !inserted.insert(id).inserted { fail(7, "\(id) was inserted twice") }
        checkBody(id, body)
        guard let birth = database.journal.births[id] else { return }
        if database.journal.tubes[birth.tube] != client.record.using {
            fail(8, "\(id) was put into \(client.record.using) and is in another tube")
        }
    }

    /// The job is, or was, a job of the client's tube with this key.
    func checkInsertedBefore(_ client: RemoteClient, _ id: JobID, _ key: String) {
        simulation.coverage.reach(.insertedBefore)
        guard let birth = database.journal.births[id] else { return fail(1, "\(id) is not durable") }
        if database.journal.tubes[birth.tube] != client.record.using {
            fail(8, "\(client) was told of \(id), which is in another tube")
        }
        if let row = database.rows[id], row.uniqueKey != key { fail(8, "\(id) has another key than \(key)") }
    }

    func checkRefused(_ body: Body) {
        refusedBodies.insert(body.number)
        if database.journal.births.values.contains(where: { $0.body == body }) {
            fail(7, "a put was turned away, and has happened")
        }
    }

    func checkDeleted(_ id: JobID, _ asked: ClientRecord.Asked) {
        if asked.hold == nil { simulation.coverage.reach(.deletedUnheld) }
        if !deleted.insert(id).inserted { fail(7, "\(id) was deleted twice") }
        if database.rows[id] != nil { fail(1, "\(id) was deleted, and is still there") }
    }

    func checkStateChanged(_ client: RemoteClient, _ asked: ClientRecord.Asked, _ reply: Reply) {
        guard let id = asked.command.changedJob, let before = asked.counters, let row = database.rows[id] else {
            return
        }
        let isDone =
            reply == .released ? row.counters.releases > before.releases : row.counters.buries > before.buries
        if !isDone { fail(1, "\(client) was told \(reply) of \(id), and that is not durable") }
    }

    /// `NOT_FOUND` or `INTERNAL_ERROR`: nothing was done. A client that surely holds the job must not be told that it
    /// is missing.
    func checkTurnedAway(_ client: RemoteClient, _ asked: ClientRecord.Asked, _ reply: Reply) {
        if reply == .internalError { simulation.coverage.reach(.internalError) }
        guard let id = asked.command.changedJob, let hold = asked.hold, hold.epoch == client.node.broker.queue.epoch,
            hold.isSure(in: database), client.node.isHonest
        else { return }
        if reply == .notFound { return fail(8, "\(client) holds \(id), and was told \(reply) upon \(asked.command)") }
        guard let row = database.rows[id] else { return fail(7, "\(client) was told \(reply), and \(id) is gone") }
        if let before = asked.counters, row.counters.releases != before.releases || row.counters.buries != before.buries
        {
            fail(7, "\(client) was told \(reply) upon \(asked.command), which has happened")
        }
        holds[id] = hold
    }

    /// Acknowledged changes are there, and refused ones are not.
    func checkNothingIsLost() {
        if let offence = database.journal.offence { fail(7, offence) }
        checkHistory()
        for row in database.rows.values where !database.tubes.contains(where: { $0.id == row.tube }) {
            fail(1, "the tube of \(row.id) is gone")
        }
        let keyed = database.rows.values.compactMap { row in row.uniqueKey.map { "\(row.tube) \($0)" } }
        if Set(keyed).count != keyed.count { fail(7, "a tube has two jobs with the same key") }
        for (id, birth) in database.journal.births {
            if refusedBodies.contains(birth.body.number) { fail(7, "\(id) was turned away, and has happened since") }
            guard database.rows[id] == nil, !deleted.contains(id), !database.sql.deleted.contains(id),
                openDeletes[id] ?? 0 == 0
            else { continue }
            fail(1, "\(id) is lost")
        }
    }

    /// A job is either there or in the history of its tube.
    private func checkHistory() {
        let recorded = Dictionary(database.history.map { ($0, 1) }, uniquingKeysWith: +)
        for (id, birth) in database.journal.births {
            let isKept = database.policies[birth.tube]?.keepsHistory ?? false
            let expected = isKept && database.rows[id] == nil ? 1 : 0
            if recorded[id] ?? 0 != expected {
                fail(7, "\(id) is \(recorded[id] ?? 0) times in the history, and should be \(expected) times")
            }
            if expected == 1 { simulation.coverage.reach(.recorded) }
        }
    }
}

extension Body {
    /// The number of a body that the simulation has made.
    var number: Int { count < 2 ? -1 : Int(self[0]) | Int(self[1]) << 8 }
}

extension Command {
    /// The job whose hold the client ends or extends.
    var changedJob: JobID? {
        switch self {
        case .delete(let id), .release(let id, _, _), .bury(let id, _), .touch(let id): id
        default: nil
        }
    }
}
