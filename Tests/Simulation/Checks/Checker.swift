@testable import QueueCore

/// Watches a schedule from outside: what clients were told, what the database says, and what brokers believe.
final class Checker {
    unowned let simulation: Simulation
    private(set) var violation: Violation?

    /// Ids that clients were told.
    var inserted: Set<JobID> = []
    var deleted: Set<JobID> = []
    /// Numbers of the bodies of refused puts.
    var refusedBodies: Set<Int> = []
    /// How many deletes of a job have not been answered. Those whose clients have gone never will be.
    var openDeletes: [JobID: Int] = [:]
    var holds: [JobID: Hold] = [:]
    let limits: (pending: Int, cached: Int)

    init(_ simulation: Simulation) {
        self.simulation = simulation
        limits = Checker.limits(simulation.profile)
    }

    var database: Database { simulation.database }

    func fail(_ invariant: Int, _ what: @autoclosure () -> String) {
        guard violation == nil else { return }
        let violation = Violation(invariant: invariant, what: what())
        self.violation = violation
        simulation.log("invariant \(invariant): \(violation.what)")
    }

    // MARK: Commands

    /// The queue is about to be given this command.
    func willReceive(_ client: RemoteClient, _ command: Command) {
        if case .quit = command { return }
        var asked = ClientRecord.Asked(command: command, at: client.node.broker.now)
        switch command {
        case .delete(let id), .release(let id, _, _), .bury(let id, _):
            if case .delete = command { openDeletes[id, default: 0] += 1 }
            asked.counters = database.rows[id]?.counters
            if let hold = holds[id], hold.client === client {
                asked.hold = hold
                holds[id] = nil
            }
        case .touch(let id):
            if let hold = holds[id], hold.client === client { asked.hold = hold }
        default: break
        }
        client.record.asked.append(asked)
    }

    /// The broker has closed the connection: the jobs that the client holds are given back.
    func closes(_ client: RemoteClient) {
        for (id, hold) in holds where hold.client === client { holds[id] = nil }
    }

    // MARK: Replies

    /// Invariant 8: nothing leaks. Replies come in the order of the commands, and each is possible for its command.
    func heard(_ client: RemoteClient, _ reply: Reply) {
        guard !client.record.asked.isEmpty else { return fail(8, "\(client) was told \(reply), and had asked nothing") }
        let asked = client.record.asked.removeFirst()
        if !reply.fits(asked.command) { return fail(8, "\(client) was told \(reply) upon \(asked.command)") }
        switch (asked.command, reply) {
        case (.use(let tube), .using): client.record.using = tube
        case (.watch(let tube), .watching): client.record.watched.insert(tube)
        case (.ignore(let tube), .watching): client.record.watched.remove(tube)
        case (.touch(let id), .touched): extend(id, asked)
        case (.put(let job), .inserted(let id)), (.putUnique(_, let job), .inserted(let id)):
            checkInserted(client, id, job.body)
        case (.putUnique(let key, let job), .insertedBefore(let id, _)):
            refusedBodies.insert(job.body.number)
            checkInsertedBefore(client, id, key)
        case (.put(let job), .internalError), (.put(let job), .outOfMemory), (.putUnique(_, let job), .internalError),
            (.putUnique(_, let job), .outOfMemory):
            checkRefused(job.body)
            simulation.coverage.reach(reply == .internalError ? .internalError : .outOfMemory)
        case (_, .reserved(let id, let body)): checkReserved(client, asked, id, body)
        case (.delete(let id), .deleted):
            endHold(of: id, by: client)
            checkDeleted(id, asked)
        case (.release(let id, _, _), .released), (.release(let id, _, _), .buried), (.bury(let id, _), .buried):
            if case (.release, .buried) = (asked.command, reply) { simulation.coverage.reach(.buriedByRelease) }
            endHold(of: id, by: client)
            checkStateChanged(client, asked, reply)
        case (_, .kicked(let count)): checkKicked(client, count)
        case (_, .kickedJob): checkKicked(client, 1)
        case (_, .found(let id, let body)): checkBody(id, body)
        case (_, .notFound), (_, .internalError): checkTurnedAway(client, asked, reply)
        case (_, .timedOut):
            simulation.coverage.reach(.timedOut)
            checkNothingThere(client)
        case (_, .deadlineSoon): simulation.coverage.reach(.deadlineSoon)
        default: break
        }
        if case .delete(let id) = asked.command { openDeletes[id, default: 0] -= 1 }
    }

    /// The refusal of an earlier change may have given the job back to the client.
    private func endHold(of id: JobID, by client: RemoteClient) {
        if holds[id]?.client === client { holds[id] = nil }
    }

    private func extend(_ id: JobID, _ asked: ClientRecord.Asked) {
        guard let hold = asked.hold, holds[id]?.client === hold.client, let row = database.rows[id] else { return }
        holds[id]?.until = max(hold.until, asked.at + .seconds(row.ttr))
    }

    func checkBody(_ id: JobID, _ body: Body) {
        guard let birth = database.journal.births[id] else { return fail(1, "\(id) is not durable") }
        if birth.body != body { fail(8, "\(id) came with the body of another job") }
    }

    private func checkKicked(_ client: RemoteClient, _ count: Int) {
        if count > 0 { simulation.coverage.reach(.kicked) }
        client.node.record.kicked += count
        let committed = client.node.keeper.registered.reduce(0) { $0 + (database.journal.kicks[$1] ?? 0) }
        if client.node.record.kicked > committed {
            fail(1, "\(client) was told of \(client.node.record.kicked) kicked jobs, and \(committed) are durable")
        }
    }

    // MARK: After each event

    func observe(_ node: Node) {
        if let broken = node.broker.queue.brokenInvariant() { fail(5, "\(node): \(broken)") }
        checkBounds(node)
    }

    /// The state after this event is the state before the next one.
    func carried(_ node: Node) {
        if node.broker.queue.jobs.cachedBytes != node.record.cachedBytes {
            node.record.cachedBytes = node.broker.queue.jobs.cachedBytes
            node.record.cached.removeAll(keepingCapacity: true)
            for (id, slot) in node.broker.queue.jobs.byID where node.broker.queue.jobs[slot].isCached {
                node.record.cached.insert(id)
            }
        }
        node.record.isPausing = false
        if node.record.paused != node.broker.queue.tubes.pauses.tubes {
            node.record.paused = node.broker.queue.tubes.pauses.tubes
        }
    }
}

extension Reply {
    /// Whether this reply is possible for the command.
    func fits(_ command: Command) -> Bool {
        switch (command, self) {
        case (.put, .inserted), (.put, .outOfMemory), (.put, .draining): true
        case (.putUnique, .inserted), (.putUnique, .insertedBefore), (.putUnique, .outOfMemory): true
        case (.use(let tube), .using(let used)): tube == used
        case (.reserve, .reserved), (.reserve, .deadlineSoon), (.reserve, .timedOut): true
        case (.reserveWithTimeout, .reserved), (.reserveWithTimeout, .deadlineSoon), (.reserveWithTimeout, .timedOut):
            true
        case (.reserveJob(let asked), .reserved(let id, _)), (.peek(let asked), .found(let id, _)): asked == id
        case (.peekReady, .found), (.peekDelayed, .found), (.peekBuried, .found): true
        case (.peekReady, .notFound), (.peekDelayed, .notFound), (.peekBuried, .notFound), (.peek, .notFound): true
        case (.delete, .deleted), (.release, .released), (.release, .buried), (.bury, .buried),
            (.touch, .touched):
            true
        case (.delete, .notFound), (.release, .notFound), (.bury, .notFound), (.touch, .notFound): true
        case (.reserveJob, .notFound), (.kickJob, .notFound), (.statsJob, .notFound), (.statsTube, .notFound): true
        case (.pauseTube, .notFound), (.pauseTube, .paused), (.kick, .kicked), (.kickJob, .kickedJob): true
        case (.watch, .watching), (.ignore, .watching), (.ignore, .notIgnored): true
        case (.statsJob(let id), .job(let stats)): id == stats.id
        case (.statsTube(let name), .tube(let stats)): name == stats.name
        case (.stats, .broker), (.listTubes, .tubes), (.listTubeUsed, .using), (.listTubesWatched, .tubes): true
        case (.use, .internalError), (.watch, .internalError), (.ignore, .internalError), (.touch, .internalError):
            false
        case (_, .internalError): true
        default: false
        }
    }
}
