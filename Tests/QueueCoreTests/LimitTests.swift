import Testing

@testable import QueueCore
@testable import Simulation

/// Everything that a client can make grow has a limit, and reaching it does not harm others.
@Suite("limits") struct LimitTests {
    @Test func tubesThatAClientWatches() {
        let world = World()
        let client = world.connect()
        for number in 1..<Connection.maxWatched { client.sends(.watch(TubeName(unchecked: "\(number)"))) }
        #expect(client.hears().last == .watching(Connection.maxWatched))
        #expect(client.asks(.watch("one-more")) == .outOfMemory)
        #expect(world.queue.tubes.byName["one-more"] == nil, "it has not come into being")
        // A tube that is watched already does not count.
        #expect(client.asks(.watch("1")) == .watching(Connection.maxWatched))
        #expect(client.asks(.ignore("1")) == .watching(Connection.maxWatched - 1))
        #expect(client.asks(.watch("one-more")) == .watching(Connection.maxWatched))
    }

    @Test func tubes() {
        let world = World { $0.maxTubes = 3 }
        let client = world.connect()
        #expect(client.asks(.use("a")) == .using("a"))
        #expect(client.asks(.watch("b")) == .watching(2))
        #expect(client.asks(.use("c")) == .outOfMemory)
        #expect(client.asks(.watch("c")) == .outOfMemory)
        #expect(client.asks(.listTubeUsed) == .using("a"))
        #expect(client.asks(.watch("a")) == .watching(3))
        #expect(client.asks(.ignore("b")) == .watching(2))
        #expect(client.asks(.use("c")) == .using("c"))
    }

    @Test func jobsHeld() {
        let world = World { $0.maxHeldJobs = 2 }
        let client = world.connect()
        for _ in 1...3 { client.sends(.put()) }
        _ = client.hears()
        #expect(client.asks(.reserve) == .reserved(1))
        #expect(client.asks(.reserveJob(2)) == .reserved(2))
        #expect(client.asks(.reserve) == .outOfMemory)
        #expect(client.asks(.reserveJob(3)) == .outOfMemory)
        #expect(client.asks(.delete(1)) == .deleted)
        #expect(client.asks(.reserve) == .reserved(3))
    }

    /// A commit does not consist of one client's bodies alone.
    @Test func bytesOfPutsUnderWay() {
        let world = World(maxPendingBytes: 1 << 30, maxBatchBytes: 1 << 30)
        world.writes = .stopped
        let client = world.connect()
        let body = Body(repeating: 0, count: 1 << 20)
        client.sends(Array(repeating: Command.put(priority: 0, delay: 0, ttr: 1, body: body), count: 10))
        #expect(client.handler.unread.count == 6)
        let other = world.connect()
        other.sends(.put())
        #expect(other.handler.unread.isEmpty)
        world.writes = .flowing
        #expect(client.hears().count == 10)
        #expect(client.handler.unread.isEmpty)
        #expect(world.queue.connections[client.handler.id.slot].pendingBytes == 0)
    }

    /// A single body over the limit is accepted.
    @Test func aBodyOverTheLimitOfBytes() {
        let world = World(maxPendingBytes: 1 << 30)
        let client = world.connect()
        let body = Body(repeating: 0, count: Connection.maxPendingBytes + 1)
        client.sends(.put(priority: 0, delay: 0, ttr: 1, body: body), .put("a"))
        #expect(client.hears() == [.inserted(1), .inserted(2)])
    }

    /// A client's jobs are given back a thousand at a time, in the order in which it reserved them.
    @Test func aClientThatLeavesWithManyJobs() {
        let world = World(cacheBytes: 1 << 22)
        let client = world.connect()
        let count = 2 * Queue.closingChunk + 10
        for number in 0..<count { client.sends(.put(priority: UInt32(count - number)), .reserve) }
        #expect(client.hears().count == 2 * count)
        client.disconnects()
        #expect(world.queue.jobs.deadlines.count == count - Queue.closingChunk)
        let (next, isSettled) = (world.queue.nextDeadline, world.queue.isSettled)
        #expect(next < world.now && !isSettled, "more is to be done at once")
        // Others are served meanwhile: of the first thousand jobs the last one is the most urgent.
        let other = world.connect()
        #expect(other.asks(.reserve) == .reserved(JobID(Queue.closingChunk)))
        world.advance(.milliseconds(5))
        #expect(world.queue.jobs.deadlines.count == 1)
        #expect(world.queue.connections.count == 1)
        #expect(other.asks(.reserve) == .reserved(JobID(count)))
    }

    /// The bytes of the replies in an outbox are known.
    @Test func bytesOfReplies() {
        let world = World()
        let client = world.connect()
        client.sends(.put(String(repeating: "x", count: 5000)))
        let id = client.handler.id
        world.queue.receive(.peek(1), from: id, now: world.now)
        world.queue.receive(.listTubes, from: id, now: world.now)
        let bytes = world.queue.replyBytes(0)
        #expect((5000...6000).contains(bytes))
        world.settle()
        let left = world.queue.replyBytes(0)
        #expect(left == 0)
    }

    /// With many held jobs, the warning comes for the first that is due, and ends with it.
    @Test func theWarningOfOneJobAmongMany() {
        let world = World()
        let client = world.connect()
        client.sends(.put(ttr: 100), .put(ttr: 5), .put(ttr: 50))
        client.sends(.reserve, .reserve, .reserve)
        _ = client.hears()
        client.sends(.reserveWithTimeout(seconds: 60))
        world.advance(.milliseconds(3900))
        #expect(client.hears() == [])
        world.advance(.milliseconds(200))
        #expect(client.hears() == [.deadlineSoon])
        #expect(client.asks(.reserve) == .deadlineSoon)
        #expect(client.asks(.touch(2)) == .touched)
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
        world.advance(.milliseconds(4500))
        #expect(client.asks(.reserve) == .deadlineSoon)
        #expect(client.asks(.delete(2)) == .deleted)
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
    }
}
