import Testing

@testable import QueueCore
@testable import Simulation

/// A body of more than ten bytes is a large one.
@Suite("large bodies")
struct LargeBodyTests {
    let world = World { $0.largeBodyBytes = 10 }
    private let large = String(repeating: "x", count: 100)

    /// Both are taken, and neither is done.
    private func taken() {
        world.writes = .taken
        world.settle()
    }

    @Test func nobodyElsesCommitWaitsForTheirs() {
        let (client, other) = (world.connect(), world.connect())
        taken()
        client.sends(.put(large))
        other.sends(.put("a"))
        while world.stepWrites(.puts) {}
        world.settle()
        #expect(other.hears() == [.inserted(2)])
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1)])
    }

    /// What one client puts is there in the order in which it came, large or not.
    @Test func theOrderOfOneClientStays() {
        let client = world.connect()
        taken()
        client.sends(.put("a"), .put(large), .put("b"), .put(large), .put("c"))
        // The large one waits for the one before it, and has all that follows behind it.
        #expect(world.queue.lanes.puts.inFlight?.puts.map(\.id) == [1])
        #expect(world.queue.lanes.largePuts.pending.puts.map(\.id) == [2, 3, 4, 5])
        #expect(world.queue.hasWrites(.largePuts) == false)
        while world.stepWrites(.puts) {}
        #expect(world.queue.hasWrites(.largePuts) == true)
        #expect(Array(world.database.rows.keys) == [1])
        world.writes = .flowing
        #expect(client.hears() == (1...5).map { .inserted($0) })
        #expect(world.connect().asks(.reserve) == .reserved(1, "a"))
        // Nothing large is under way any more.
        #expect(client.asks(.put("d")) == .inserted(6))
    }

    @Test func oneIsNobodysBeforeItsCommit() {
        let (client, other) = (world.connect(), world.connect())
        taken()
        client.sends(.put(large))
        #expect(other.asks(.delete(1)) == .notFound)
        #expect(other.asks(.peek(1)) == .notFound)
        #expect(other.asks(.kickJob(1)) == .notFound)
        #expect(other.asks(.reserveJob(1)) == .notFound)
        #expect(world.queue.isSettled == false)
        world.writes = .flowing
        #expect(other.asks(.reserve) == .reserved(1, large))
        #expect(world.queue.isSettled == true)
    }

    /// Room for others' puts does not depend on them, nor theirs on that of others.
    @Test func bytesOfBothAreCountedByThemselves() {
        let world = World(maxPendingBytes: 600) { $0.largeBodyBytes = 10 }
        let (client, other) = (world.connect(), world.connect())
        world.writes = .stopped
        other.sends(.put("a"))
        client.sends(.put(String(repeating: "x", count: 2000)), .put(large))
        other.sends(.put("b"), .put("c"))
        world.writes = .flowing
        #expect(client.hears() == [.inserted(2), .outOfMemory])
        #expect(other.hears() == [.inserted(1), .inserted(3), .outOfMemory])
        #expect(world.queue.pendingBytes == 0 && world.queue.pendingLargeBytes == 0)
    }

    /// Its bytes take their time, and whoever waits behind them has it too.
    @Test func theTimeLimitAllowsForTheirBytes() {
        let world = World(maxPendingBytes: 1 << 30) { $0.largeBodyBytes = 10 }
        let (client, other) = (world.connect(), world.connect())
        world.writes = .taken
        client.sends(.put(priority: 0, delay: 0, ttr: 1, body: Body(repeating: 0, count: 40 << 20)))
        other.sends(.put(large))
        world.advance(.seconds(18))
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1)])
        #expect(other.hears() == [.inserted(2)])
    }

    /// A new epoch: what was not committed is put anew.
    @Test func theEpochDies() {
        let (client, other) = (world.connect(), world.connect())
        taken()
        client.sends(.put(large), .put("a"))
        other.sends(.put("b"))
        world.database.epochs = []
        world.writes = .flowing
        world.attach()
        #expect(client.hears().count == 2)
        #expect(other.hears().count == 1)
        #expect(world.database.rows.count == 3)
        #expect(world.queue.pendingBytes == 0 && world.queue.pendingLargeBytes == 0)
    }
}
