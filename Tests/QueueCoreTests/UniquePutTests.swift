import Testing

@testable import QueueCore
@testable import Simulation

@Suite("puts with a key")
struct UniquePutTests {
    let world = World()

    @Test func theSecondGetsTheIDOfTheFirstWhileThatLives() {
        let client = world.connect()
        #expect(client.asks(.putUnique("a", "first")) == .inserted(1))
        #expect(client.asks(.putUnique("a", "second")) == .insertedBefore(1, .ready))
        #expect(client.asks(.reserve) == .reserved(1, "first"))
        #expect(client.asks(.putUnique("a")) == .insertedBefore(1, .reserved), "also when its row does not say so yet")
        #expect(client.asks(.bury(1, priority: 0)) == .buried)
        #expect(client.asks(.putUnique("a")) == .insertedBefore(1, .buried))
        #expect(client.asks(.delete(1)) == .deleted)
        guard case .inserted(let id)? = client.asks(.putUnique("a", "again", delay: 9)) else {
            return #expect(Bool(false), "the key is free")
        }
        #expect(client.asks(.putUnique("a")) == .insertedBefore(id, .delayed))
        #expect(world.database.rows.count == 1)
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs == JobCounts(delayed: 1))
    }

    @Test func eachTubeHasItsOwnKeys() {
        let (client, other) = (world.connect(), world.connect(using: "other"))
        #expect(client.asks(.putUnique("a")) == .inserted(1))
        #expect(other.asks(.putUnique("a")) == .inserted(2))
        #expect(client.asks(.putUnique("b")) == .inserted(3))
    }

    @Test func twoInOneTransaction() {
        let (client, other) = (world.connect(), world.connect())
        world.queries = .stopped
        client.sends(.putUnique("a", "1"), .put("plain"), .putUnique("a", "2"))
        other.sends(.putUnique("a", "3"))
        world.queries = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2), .insertedBefore(1, .ready)], "in their order")
        #expect(other.hears() == [.insertedBefore(1, .ready)])
        #expect(world.database.rows[1]?.body == body("1"))
    }

    @Test("invariant 1: it is answered after the commit")
    func ackMeansDurable() {
        let client = world.connect()
        world.queries = .taken
        client.sends(.putUnique("a"))
        #expect(client.hears() == [])
        world.queries = .done
        #expect(client.hears() == [])
        world.queries = .flowing
        #expect(client.hears() == [.inserted(1)])
    }

    @Test func whoWaitsGetsIt() {
        let (worker, client) = (world.connect(), world.connect())
        worker.sends(.reserve)
        #expect(client.asks(.putUnique("a", "x")) == .inserted(1))
        #expect(worker.hears() == [.reserved(1, "x")])
    }

    /// A transaction that is not over is putting a job with the same key.
    @Test func whatIsContestedIsAskedAgain() throws {
        let client = world.connect(using: "t")
        let other = world.database.register(at: world.now)
        let put = UniquePut(
            id: 99, tube: world.database.openTube("t").id, key: "a",
            job: NewJob(priority: 0, delay: 0, ttr: 1, body: []))
        let prepared = try #require(world.database.prepare([.putUnique(put)], epoch: other, at: world.now))
        client.sends(.putUnique("a"))
        world.advance(.seconds(2))
        #expect(client.hears() == [])
        let key = Database.LedgerKey(epoch: other, writer: 0, batch: 1)
        #expect(world.database.commit(prepared, as: key, at: world.now) == .committed)
        world.advance(.milliseconds(500))
        #expect(client.hears() == [.insertedBefore(99, .ready)])
    }

    @Test func aContestThatLastsIsGivenUp() throws {
        let client = world.connect(using: "t")
        let other = world.database.register(at: world.now)
        let put = UniquePut(
            id: 99, tube: world.database.openTube("t").id, key: "a",
            job: NewJob(priority: 0, delay: 0, ttr: 1, body: []))
        _ = try #require(world.database.prepare([.putUnique(put)], epoch: other, at: world.now))
        client.sends(.putUnique("a"))
        world.advance(.seconds(11))
        #expect(client.hears() == [.internalError])
        #expect(world.queue.puts.pendingBytes == 0)
    }

    @Test func refusals() {
        let client = world.connect()
        #expect(client.asks(.putUnique("before")) == .inserted(1), "the tube is there")
        world.queryRefusal = .full
        client.sends(.putUnique("a"))
        #expect(client.hears() == [.outOfMemory])
        world.queryRefusal = .failed
        #expect(client.asks(.putUnique("a")) == .internalError)
        world.queryRefusal = nil
        #expect(world.queue.puts.pendingBytes == 0)
        guard case .inserted? = client.asks(.putUnique("a")) else { return #expect(Bool(false), "nothing is left") }
    }

    @Test func aFullTubeTakesNone() {
        world.setPolicy { $0.maxReady = 1 }
        let client = world.connect()
        #expect(client.asks(.putUnique("a")) == .inserted(1))
        #expect(client.asks(.putUnique("b")) == .outOfMemory)
        #expect(client.asks(.putUnique("b", delay: 1)) == .inserted(2))
    }
}
