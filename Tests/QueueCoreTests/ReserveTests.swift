import Testing

@testable import QueueCore
@testable import Simulation

@Suite("reserve")
struct ReserveTests {
    let world = World()

    @Test("invariant 4: smallest priority first, then the oldest")
    func order() {
        let client = world.connect()
        client.sends(.put("a", priority: 2), .put("b", priority: 1), .put("c", priority: 1), .put("d", priority: 0))
        _ = client.hears()
        client.sends(.reserve, .reserve, .reserve, .reserve)
        #expect(client.hears() == [.reserved(4, "d"), .reserved(2, "b"), .reserved(3, "c"), .reserved(1, "a")])
    }

    @Test func aReleasedJobKeepsItsPlaceAmongEqualPriorities() {
        let client = world.connect()
        client.sends(.put("a"), .put("b"), .reserve, .release(1, priority: 0, delay: 0), .reserve)
        #expect(client.hears() == [.inserted(1), .inserted(2), .reserved(1, "a"), .released, .reserved(1, "a")])
    }

    @Test func theSmallestOverAllWatchedTubes() {
        let producer = world.connect(using: "a")
        producer.sends(.put("a1", priority: 5), .put("a2", priority: 1), .use("b"), .put("b1", priority: 3))
        let worker = world.connect(watching: "a")
        worker.sends(.watch("b"), .reserve, .reserve, .reserve)
        #expect(worker.hears() == [.watching(2), .reserved(2, "a2"), .reserved(3, "b1"), .reserved(1, "a1")])
    }

    @Test func aTubeThatIsNotKnownMustBeLookedAtFirst() {
        let producer = world.connect(using: "a")
        producer.sends(.put("a", priority: 5), .use("b"), .put("b", priority: 1))
        let worker = world.connect(watching: "a")
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        #expect(worker.asks(.release(1, priority: 5, delay: 0)) == .released)
        world.queries = .taken
        worker.sends(.watch("b"), .reserve)
        #expect(worker.hears() == [.watching(2)])
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(2, "b")])
    }

    @Test func withoutATimeoutUnknownTubesAreLookedAtBeforeTheAnswer() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .taken
        worker.sends(.reserveWithTimeout(seconds: 0))
        #expect(worker.hears() == [])
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(1, "a")])
        #expect(worker.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
    }

    @Test func aTimeoutPassesToTheMillisecond() {
        let client = world.connect()
        client.sends(.reserveWithTimeout(seconds: 2))
        world.advance(.milliseconds(1999))
        #expect(client.hears() == [])
        world.advance(.milliseconds(1))
        #expect(client.hears() == [.timedOut])
    }

    @Test func oneWithoutATimeoutWaitsAsAReserveDoes() {
        let client = world.connect()
        client.sends(.reserveWithTimeout(seconds: nil))
        world.advance(.seconds(10_000))
        #expect(client.hears() == [])
        world.connect().sends(.put("a"))
        #expect(client.hears() == [.reserved(1, "a")])
    }

    @Test func theLongestWaitingIsServedFirst() {
        let workers = (0..<3).map { _ in world.connect() }
        for worker in workers { worker.sends(.reserve) }
        let producer = world.connect()
        for number in 1...3 { producer.sends(.put("\(number)")) }
        #expect(workers.map { $0.hears() } == [[.reserved(1, "1")], [.reserved(2, "2")], [.reserved(3, "3")]])
    }

    @Test func oneWhoGaveUpIsPassedOver() {
        let (first, second) = (world.connect(), world.connect())
        first.sends(.reserve)
        second.sends(.reserve)
        first.disconnects()
        world.connect().sends(.put("a"))
        #expect(second.hears() == [.reserved(1, "a")])
    }

    @Test func nothingIsAcceptedWhileAReserveWaits() {
        let client = world.connect()
        client.sends(.reserve, .listTubeUsed)
        #expect(client.hears() == [])
        world.connect().sends(.put("a"))
        #expect(client.hears() == [.reserved(1, "a"), .using("default")])
    }

    @Test("invariant 5: a small cache gives out everything, in order")
    func beyondTheBudget() {
        let world = World(cacheBytes: 1500)
        let client = world.connect()
        for number in 0..<50 { client.sends(.put("\(number)", priority: UInt32(number * 37 % 50))) }
        #expect(world.queue.jobs.count <= 5)
        _ = client.hears()
        for _ in 0..<50 { client.sends(.reserve) }
        let priorities = client.hears().compactMap { reply -> UInt32? in
            if case .reserved(let id, _) = reply { world.database.rows[id]?.priority } else { nil }
        }
        #expect(priorities == Array(0..<50))
    }

    // MARK: reserve-job

    @Test func reserveJobTakesWhateverNobodyHolds() {
        let client = world.connect()
        client.sends(.put("a"), .put("b", delay: 100), .put("c"), .reserve, .bury(1, priority: 0))
        _ = client.hears()
        client.sends(.reserveJob(1), .reserveJob(2), .reserveJob(3), .reserveJob(3), .reserveJob(4))
        #expect(client.hears() == [.reserved(1, "a"), .reserved(2, "b"), .reserved(3, "c"), .notFound, .notFound])
        #expect(world.connect().asks(.reserveJob(1)) == .notFound)
        #expect(client.asks(.release(2, priority: 0, delay: 0)) == .released)
        #expect(client.asks(.statsJob(2))?.jobStats?.state == .ready)
    }

    @Test func reserveJobIgnoresPausesAndWatchLists() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .pauseTube("t", seconds: 100))
        _ = client.hears()
        #expect(client.asks(.reserveJob(1)) == .reserved(1, "a"))
    }

    @Test func aBuriedJobWhoseHolderLeavesIsReady() {
        let (holder, other) = (world.connect(), world.connect())
        holder.sends(.put("a"), .reserve, .bury(1, priority: 0), .reserveJob(1))
        holder.disconnects()
        #expect(other.asks(.reserveWithTimeout(seconds: 0)) == .reserved(1, "a"))
    }
}
