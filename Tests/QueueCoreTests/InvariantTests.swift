import Testing

@testable import QueueCore
@testable import Simulation

/// `Queue.brokenInvariant()` finds planted mistakes.
@Suite("invariants")
struct InvariantTests {
    /// Job 1 is held, job 3 is cached, and a put, a delete and a kick are under way.
    private func busyWorld() -> World {
        let world = World()
        let (client, other) = (world.connect(using: "t", watching: "t"), world.connect(using: "t", watching: "t"))
        client.sends(.put("a", ttr: 60), .put("b"), .put("c"), .put("d", delay: 9))
        client.sends(.reserve)
        other.sends(.reserve)
        world.writes = .taken
        world.queries = .taken
        other.sends(.delete(2))
        client.sends(.kick(bound: 1))
        world.connect(using: "t").sends(.put("e"))
        #expect(world.queue.brokenInvariant() == nil)
        return world
    }

    private static let mistakes: [@Sendable (inout Queue) -> Void] = [
        { $0.jobs.cachedBytes += 1 },
        { $0.puts.pendingBytes -= 1 },
        { $0.puts.pendingLargeBytes += 1 },
        { $0.connections.waiting += 1 },
        { $0.connections.producers -= 1 },
        { $0.connections.workers += 1 },
        { $0.tubes.totals.stored.ready += 1 },
        { $0.schedule.isSweeping.toggle() },
        { $0.schedule.isPolling.toggle() },
        { $0.jobs.byID[3] = nil },
        { $0.jobs.undecided[3] = Queue.UndecidedJob() },
        { $0.lanes.changes.inFlight?.deletes = [] },
        { $0.lanes.puts.inFlight?.puts = [] },
        { $0.queries.inFlight = [] },
        { $0.tubes.listing.swapAt(0, 1) },
        { $0.tubes.deactivate(0) },
        { $0.marks.isAny = true },
        { $0.connections[0].pendingBytes -= 1 },
        { $0.connections[0].firstHeld = -1 },
        { $0.connections[0].dueSoon += 1 },
        { queue in queue.change(1) { $0.heapPosition += 1 } },
        { queue in queue.change(1) { $0.deadline = .never } },
        { queue in queue.change(1) { $0.owner = 1 } },
        { queue in queue.change(3) { $0.phase = .settling(isGivenUp: false, .none) } },
        { queue in queue.change(3) { $0.key.priority += 1 } },
        { queue in queue.changeTube { $0.pins -= 1 } },
        { queue in queue.changeTube { $0.using += 1 } },
        { queue in queue.changeTube { $0.watching += 1 } },
        { queue in queue.changeTube { $0.putsInFlight += 1 } },
        { queue in queue.changeTube { $0.inMemory -= 1 } },
        { queue in queue.changeTube { $0.held.ready -= 1 } },
        { queue in queue.changeTube { $0.row = nil } },
        { queue in queue.changeTube { $0.cache.isRefilling.toggle() } },
        { queue in queue.changeTube { $0.isOpening = true } },
        { queue in queue.changeTube { $0.cache.heap.removeAll() } },
    ]

    @Test(arguments: mistakes.indices)
    func aPlantedMistakeIsFound(_ mistake: Int) {
        let world = busyWorld()
        InvariantTests.mistakes[mistake](&world.queue)
        #expect(world.queue.brokenInvariant() != nil)
    }
}

extension Queue {
    fileprivate mutating func change(_ id: JobID, _ change: (inout Job) -> Void) {
        if let slot = jobs.byID[id] { change(&jobs[slot]) }
    }

    fileprivate mutating func changeTube(_ change: (inout Tube) -> Void) {
        if let slot = tubes.byName["t"] { change(&tubes[slot]) }
    }
}
