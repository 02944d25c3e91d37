import Testing

@testable import QueueCore
@testable import Simulation

/// Jobs that other brokers or SQL have put, and that this broker has not counted.
@Suite("jobs of others")
struct ForeignJobTests {
    let world = World()

    @Test func aTubeStaysWhileItsJobsAreInMemory() {
        world.connect(using: "t").sends(.put("a"))
        _ = world.database.putForeign(in: "t", at: world.now)
        let worker = world.connect(watching: "t")
        for client in world.clients.values where client !== worker { client.disconnects() }
        worker.sends(.reserve, .delete(1))
        worker.sends(.watch("default"), .ignore("t"))
        // The counts say that the tube is empty, but the cache has the other broker's job.
        let other = world.connect()
        let foreign = world.database.rows.keys.first ?? 0
        #expect(other.asks(.delete(foreign)) == .deleted)
        #expect(world.database.rows.isEmpty)
    }

    @Test func aWaitingClientGetsItWithinASecond() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        worker.sends(.reserve, .reserve)
        let id = world.database.putForeign(in: "t", at: world.now)
        world.advance(.milliseconds(1300))
        #expect(worker.hears() == [.reserved(1, "a"), .reserved(id, "foreign")])
    }

    @Test func leasesThatNobodyHereWaitsForGoBackWhenAnotherBrokerAppears() {
        let client = world.connect()
        client.sends(.put("a"), .put("b"))
        #expect(world.database.rows[1]?.lease == world.queue.epoch)
        world.peers = 1
        world.beat()
        #expect(world.database.rows.values.allSatisfy { $0.lease == nil })
    }

    @Test func aLeaseTakenForAClientThatGaveUpGoesBackToo() {
        world.peers = 1
        world.beat()
        let worker = world.connect()
        world.connect().sends(.put("first"))
        worker.sends(.reserve, .delete(1), .reserveWithTimeout(seconds: 1))
        world.writes = .taken
        world.connect().sends(.put("a"))
        world.advance(.milliseconds(1100))
        world.writes = .flowing
        world.advance(.seconds(2))
        #expect(worker.hears().last == .timedOut)
        #expect(world.database.rows[2]?.lease == nil)
    }

    @Test func whatIsPublishedAsHeldIsTakenBackWhenTheTubeGoes() {
        let (producer, worker) = (world.connect(using: "t"), world.connect(watching: "t"))
        producer.sends(.put("a"), .use("default"))
        worker.sends(.reserve)
        worker.sends(.watch("default"), .ignore("t"))
        let row = world.database.tube("t")?.id
        #expect(world.queue.takeHeldCounts().first { $0.tube == row }?.counts.total == 1)
        worker.sends(.delete(1))
        #expect(world.queue.tubes.byName["t"] == nil)
        #expect(world.queue.takeHeldCounts().first { $0.tube == row }?.counts.total == 0)
    }

    /// The job is leased when it is found, so a second query about it, which is refused, must not lose it.
    @Test func aJobReservedByIDWaitsForItsTubeToBeKnown() {
        let id = world.database.putForeign(in: "new", at: world.now)
        world.database.rows[id]?.state = .buried
        let client = world.connect()
        client.sends(.reserveJob(id))
        #expect(client.hears() == [])
        world.queryRefusal = .failed
        world.act { $0.learn(self.world.database.tubeRows(at: $1), readAt: $1, now: $1) }
        world.settle()
        #expect(client.hears() == [.reserved(id, "foreign")])
    }

    @Test func clientsThatNeverWaitGetItToo() {
        let client = world.connect()
        client.sends(.put("a"), .reserve, .delete(1))
        _ = client.hears()
        let id = world.database.putForeign(in: "default", at: world.now)
        for _ in 0..<3 {
            client.sends(.reserveWithTimeout(seconds: 0))
            world.advance(.milliseconds(800))
        }
        #expect(client.hears().contains(.reserved(id, "foreign")))
    }

    @Test func aTubeThatIsLearntBeforeItIsOpenedIsNotTakenForEmpty() {
        let client = world.connect()
        world.queries = .done
        client.sends(.put("a"))
        world.act { $0.learn(self.world.database.tubeRows(at: $1), readAt: $1, now: $1) }
        world.connect().sends(.put("b"))
        world.queries = .flowing
        #expect(client.hears() == [.inserted(1)])
        client.sends(.reserve, .reserveWithTimeout(seconds: 0))
        #expect(client.hears() == [.reserved(1, "a"), .reserved(2, "b")])
    }

    @Test func whatOthersHavePutIsCountedAlsoWhenTheyHaveGone() {
        let client = world.connect(using: "t")
        client.sends(.put("a"))
        world.peers = 1
        world.beat()
        _ = world.database.putForeign(in: "t", at: world.now)
        world.peers = 0
        world.beat()
        #expect(client.asks(.statsTube("t"))?.tubeStats?.jobs.total == 2)
    }

    @Test func whatIsPutWhileTheCountsAreReadIsCountedOnce() {
        let client = world.connect(using: "t")
        client.sends(.put("a"))
        world.peers = 1
        world.beat()
        world.writes = .done
        client.sends(.put("b"))
        world.peers = 0
        world.beat()
        world.writes = .flowing
        world.beat()
        #expect(client.hears() == [.inserted(1), .inserted(2)])
        #expect(client.asks(.statsTube("t"))?.tubeStats?.jobs.total == 2)
    }

    @Test func aTubeWhoseJobsWereNeverCountedGoesWithItsLastClient() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .delete(1), .use("default"))
        let id = world.database.putForeign(in: "t", at: world.now)
        #expect(client.asks(.statsJob(id))?.jobStats?.state == .ready)
        #expect(client.asks(.listTubes) == .tubes(["default"]))
        let worker = world.connect(watching: "t")
        #expect(worker.asks(.reserve) == .reserved(id, "foreign"))
        worker.disconnects()
        world.advance(.seconds(10))
        #expect(client.asks(.listTubes) == .tubes(["default"]))
    }
}
