import Testing

@testable import QueueCore
@testable import Simulation

/// The database is away for a while (docs/ARCHITECTURE.md, When the database is away). Invariant 7: no guessed
/// outcomes.
@Suite("the database is away")
struct DatabaseAwayTests {
    let world = World()

    @Test func whatWasNotSentIsRefusedAfterItsTime() {
        let client = world.connect()
        client.sends(.put("a"), .reserve)
        _ = client.hears()
        world.writes = .stopped
        client.sends(.put("b"), .delete(1))
        world.advance(.seconds(9))
        #expect(client.hears() == [])
        world.advance(.seconds(2))
        #expect(client.hears() == [.internalError])
        world.advance(.seconds(11))
        #expect(client.hears() == [.internalError])
        world.writes = .flowing
        #expect(Array(world.database.rows.keys) == [1])
    }

    @Test func ofABatchOnItsWayNothingIsSaidAndTheConnectionEnds() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"))
        world.advance(.seconds(11))
        #expect(client.isClosed)
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(world.database.rows.count == 1)
        #expect(world.connect().asks(.reserveWithTimeout(seconds: 0)) == .reserved(1, "a"))
    }

    @Test func queriesThatWereNotSentAreRefused() {
        let client = world.connect()
        client.sends(.put("a", delay: 1000))
        _ = client.hears()
        world.queries = .stopped
        client.sends(.kickJob(1), .kick(bound: 1), .peekBuried)
        world.advance(.seconds(33))
        #expect(client.hears() == [.internalError, .internalError, .internalError])
        world.queries = .flowing
        #expect(client.asks(.kickJob(1)) == .kickedJob)
    }

    @Test func waitingReservesGoOnWaiting() {
        let worker = world.connect()
        worker.sends(.reserve)
        world.queries = .stopped
        world.writes = .stopped
        world.advance(.seconds(60))
        #expect(worker.hears() == [])
        world.queries = .flowing
        world.writes = .flowing
        world.connect().sends(.put("a"))
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func beforeTheFirstRegistrationEverythingWaits() {
        let world = World(isAttached: false)
        let (producer, worker) = (world.connect(), world.connect())
        producer.sends(.put("a"), .use("t"), .put("b"))
        worker.sends(.reserve)
        #expect(producer.hears() == [])
        world.attach()
        #expect(producer.hears() == [.inserted(1), .using("t"), .inserted(2)])
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    /// Commands about tubes that are not known yet are not answered.
    @Test func beforeTheFirstRegistrationNothingIsAnswered() {
        world.connect(using: "t").sends(.put("a"))
        let next = World(isAttached: false)
        next.database = world.database
        next.database.epochs = []
        let client = next.connect()
        client.sends(.statsTube("t"), .stats, .listTubes)
        #expect(client.hears() == [])
        next.attach()
        let replies = client.hears()
        #expect(replies.first?.tubeStats?.jobs.ready == 1)
        #expect(replies.count == 3 && replies.last == .tubes(["default", "t"]))
    }

    @Test func whatIsStoredIsThereAfterAStart() {
        let client = world.connect(using: "t")
        client.sends(.put("a"), .put("b", delay: 9))
        let next = World(isAttached: false)
        next.database = world.database
        next.database.epochs = []
        next.attach()
        #expect(next.connect().asks(.statsTube("t"))?.tubeStats?.jobs == JobCounts(urgent: 1, ready: 1, delayed: 1))
        #expect(next.connect(watching: "t").asks(.reserve) == .reserved(1, "a"))
    }
}
