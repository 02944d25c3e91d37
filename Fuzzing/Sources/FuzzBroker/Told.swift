@testable import QueueCore
@testable import Simulation

/// What clients were told, compared with the rows. The broker's own sums are checked by `World` after each event.
struct Told {
    /// The commands of each client that have not been answered.
    private var asked: [ConnectionID: [Command]] = [:]
    private var inserted: Set<JobID> = []
    private var deleted: Set<JobID> = []
    /// Deletes whose clients may not have got the answer.
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

    /// Nothing is under way: what clients were told and the rows agree.
    func checkQuiet(_ world: World) {
        for id in inserted.subtracting(maybeDeleted) {
            precondition(world.database.rows[id] != nil, "invariant 1: lost")
        }
        let (pendingBytes, undecided) = (world.queue.puts.pendingBytes, world.queue.jobs.undecided.count)
        precondition(pendingBytes == 0, "puts are pending for ever")
        precondition(undecided == 0, "a job stays undecided for ever")
        for slot in world.queue.jobs.byID.values {
            precondition(!world.queue.jobs[slot].isSettling, "a change is under way for ever")
        }
    }
}
