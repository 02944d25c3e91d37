import Testing

@testable import QueueCore
@testable import Simulation

/// A body of more than ten bytes is a large one.
@Suite("large bodies")
struct LargeBodyTests {
    let world = World { $0.largeBodyBytes = 10 }
    private let large = String(repeating: "x", count: 100)

    /// Both batches are taken, and neither is done.
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

    /// The puts of one client commit in their order, large or not.
    @Test func theOrderOfOneClientStays() {
        let client = world.connect()
        taken()
        client.sends(.put("a"), .put(large), .put("b"), .put(large), .put("c"))
        // The large put waits for the put before it, and those that follow wait behind it.
        #expect(world.queue.lanes.puts.inFlight?.puts.map(\.id) == [1])
        #expect(world.queue.lanes.largePuts.pending.puts.map(\.id) == [2, 3, 4, 5])
        #expect(world.queue.hasWrites(.largePuts) == false)
        while world.stepWrites(.puts) {}
        #expect(world.queue.hasWrites(.largePuts) == true)
        #expect(Array(world.database.rows.keys) == [1])
        world.writes = .flowing
        #expect(client.hears() == (1...5).map { .inserted($0) })
        #expect(world.connect().asks(.reserve) == .reserved(1, "a"))
        // No large put is under way any more.
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

    /// The limits of pending bytes of large bodies and of the others are independent.
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
        #expect(world.queue.puts.pendingBytes == 0 && world.queue.puts.pendingLargeBytes == 0)
    }

    /// Sending the bytes takes time, and that time is granted to the puts behind them too.
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

    /// A new epoch: puts that were not committed are put again.
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
        #expect(world.queue.puts.pendingBytes == 0 && world.queue.puts.pendingLargeBytes == 0)
    }
}
