import Testing

@testable import QueueCore
@testable import Simulation

@Suite("put")
struct PutTests {
    let world = World()

    @Test("invariant 1: nothing is answered before the commit")
    func ackMeansDurable() {
        let client = world.connect()
        world.writes = .done
        client.sends(.put("a"))
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1)])
        #expect(world.database.rows[1]?.body == body("a"))
    }

    @Test func pipelinedPutsAreAnsweredInOrder() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .put("b"), .putTooBig, .put("c"), .putWithoutCRLF)
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2), .jobTooBig, .inserted(3), .expectedCRLF])
    }

    @Test func aReserveInTheSamePacketWaitsForThePut() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .reserveWithTimeout(seconds: 0), .listTubeUsed)
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .reserved(1, "a"), .using("default")])
    }

    @Test func aWaitingClientGoesBeforeTheReserveBehindThePut() {
        let worker = world.connect()
        worker.sends(.reserve)
        let producer = world.connect()
        producer.sends(.put("a"), .reserveWithTimeout(seconds: 0))
        #expect(worker.hears() == [.reserved(1, "a")])
        #expect(producer.hears() == [.inserted(1), .timedOut])
    }

    @Test func useTakesEffectForThePutsBehindIt() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"), .use("other"), .put("b"))
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .using("other"), .inserted(2)])
        #expect(world.database.rows[2]?.tube == world.database.tube("other")?.id)
    }

    @Test func aTTROfZeroIsOneSecond() {
        let client = world.connect()
        client.sends(.put("a", ttr: 0))
        #expect(world.database.rows[1]?.ttr == 1)
    }

    @Test func aDelayedJobIsReadyAfterItsDelay() {
        let client = world.connect()
        client.sends(.put("a", delay: 2), .reserve)
        world.advance(.milliseconds(1990))
        #expect(client.hears() == [.inserted(1)])
        world.advance(.milliseconds(20))
        #expect(client.hears() == [.reserved(1, "a")])
    }

    @Test func putsWaitForIdsAndKeepTheirOrder() {
        world.ids = .stopped
        let client = world.connect()
        client.sends(.put("a"), .use("other"), .put("b"))
        #expect(client.hears() == [])
        world.ids = .flowing
        #expect(client.hears() == [.inserted(1), .using("other"), .inserted(2)])
    }

    @Test func drainingRefusesPutsAlone() {
        let client = world.connect()
        client.sends(.put("a"))
        world.queue.drain()
        client.sends(.put("b"), .putTooBig, .putWithoutCRLF, .reserve, .delete(1))
        #expect(client.hears() == [.inserted(1), .draining, .jobTooBig, .expectedCRLF, .reserved(1, "a"), .deleted])
    }

    @Test func tooMuchPendingIsOutOfMemory() {
        let world = World(maxPendingBytes: 2 * Queue.cost(of: Body("12345".utf8)))
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("12345"), .put("12345"), .put("6"))
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2), .outOfMemory])
        client.sends(.put(String(repeating: "more than that, but alone", count: 100)))
        #expect(client.hears() == [.inserted(3)])
    }

    @Test func aFullDatabaseIsOutOfMemory() {
        let client = world.connect()
        world.writeRefusal = .full
        client.sends(.put("a"))
        #expect(client.hears() == [.outOfMemory])
        world.writeRefusal = .failed
        client.sends(.put("a"))
        #expect(client.hears() == [.internalError])
        world.writeRefusal = nil
        #expect(client.asks(.put("a")) == .inserted(3))
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs.ready == 1)
    }

    @Test func aBatchTakesItsLimitOfBytesAndTheRestFollows() {
        let world = World(maxBatchBytes: 10)
        let client = world.connect()
        client.sends(.put("first"))
        world.writes = .taken
        client.sends(.put("123456"), .put("123456"), .put("123456"))
        #expect(world.putBatch?.puts.count == 1)
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2), .inserted(3), .inserted(4)])
    }

    @Test func aPutOnItsWayIsNobodys() {
        let (producer, other) = (world.connect(), world.connect())
        producer.sends(.put("first"))
        world.writes = .done
        producer.sends(.put("a"))
        other.sends(.peek(2), .delete(2), .statsJob(2), .kickJob(2), .reserveJob(2))
        #expect(other.hears() == Array(repeating: .notFound, count: 5))
    }
}
