@testable import QueueCore
@testable import Simulation

/// What clients were told, held against the rows and against the broker's own accounts.
struct Told {
    /// What each client has asked and not been answered.
    private var asked: [ConnectionID: [Command]] = [:]
    private var inserted: Set<JobID> = []
    private var deleted: Set<JobID> = []
    /// By clients that may not have heard so.
    private var maybeDeleted: Set<JobID> = []

    mutating func sent(_ client: Client, _ command: Command) {
        if case .quit = command { return }
        asked[client.handler.id, default: []].append(command)
        if case .delete(let id) = command { maybeDeleted.insert(id) }
    }

    mutating func heard(_ client: Client, _ reply: Reply, in world: World) {
        guard let command = asked[client.handler.id]?.first else { preconditionFailure("a reply to nothing") }
        asked[client.handler.id]?.removeFirst()
        switch (command, reply) {
        case (.put, .inserted(let id)):
            precondition(inserted.insert(id).inserted, "an id was given twice")
            precondition(world.database.rows[id] != nil || maybeDeleted.contains(id), "invariant 1: not durable")
        case (.delete(let id), .deleted): deleted.insert(id)
        case (_, .reserved(let id, let body)):
            precondition(!deleted.contains(id), "invariant 3: given out after it was deleted")
            if let row = world.database.rows[id] { precondition(row.body == body, "another body") }
        default: break
        }
    }

    /// Nothing is under way: accounts and rows agree.
    func checkQuiet(_ world: World) {
        for id in inserted.subtracting(maybeDeleted) {
            precondition(world.database.rows[id] != nil, "invariant 1: lost")
        }
        let jobs = world.queue.jobSlots.values.map { world.queue.jobs[$0] }
        let held = jobs.reduce(0) { $0 + ($1.phase == .held ? 1 : 0) }
        let (cachedBytes, pendingBytes) = (world.queue.cachedBytes, world.queue.pendingBytes)
        let (deadlines, undecided) = (world.queue.deadlines.count, world.queue.undecided.count)
        precondition(cachedBytes == jobs.reduce(0) { $0 + $1.charged }, "the budget of the cache is off")
        precondition(pendingBytes == 0, "puts are pending for ever")
        precondition(deadlines == held, "deadlines without jobs")
        precondition(undecided == 0, "a job stays undecided for ever")
        for job in jobs { precondition(job.phase != .settling, "a change is under way for ever") }
    }

    /// After each event.
    func checkClients(_ world: World) {
        var bytes = 0
        for slot in world.queue.connections.slots where world.queue.connections[slot].isOpen {
            let connection = world.queue.connections[slot]
            precondition(connection.pendingBytes >= 0, "a client is charged for less than nothing")
            precondition(connection.dueSoon >= 0, "fewer than no deadlines")
            bytes += connection.pendingBytes
        }
        let all = world.queue.pendingBytes
        precondition(bytes <= all, "clients are charged for more than there is")
    }
}
