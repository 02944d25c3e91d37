import Testing

@testable import QueueCore
@testable import Simulation

@Suite("policies")
struct PolicyTests {
    let world = World()

    private func stats(_ id: JobID, _ client: Client) -> JobStats? { client.asks(.statsJob(id))?.jobStats }

    // MARK: Timeouts

    @Test func theLastTimeoutBuries() {
        world.setPolicy { $0.buryAfterTimeouts = 2 }
        let (worker, waiter) = (world.connect(), world.connect())
        worker.sends(.put("poison", ttr: 1), .reserve)
        waiter.sends(.reserve)
        world.advance(.seconds(1))
        #expect(waiter.hears() == [.reserved(1, "poison")], "the first timeout makes it ready, as ever")
        worker.sends(.reserveWithTimeout(seconds: 5))
        _ = worker.hears()
        world.advance(.seconds(1))
        #expect(worker.hears() == [], "the second one does not")
        let stats = stats(1, waiter)
        #expect(stats?.state == .buried)
        #expect(stats?.counters == JobCounters(reserves: 2, timeouts: 2, buries: 1))
        #expect(world.database.rows[1]?.counters == JobCounters(reserves: 2, timeouts: 2, buries: 1))
        #expect(waiter.asks(.statsTube("default"))?.tubeStats?.jobs == JobCounts(buried: 1))
    }

    @Test func aKickedOneHasOneTimeoutMore() {
        world.setPolicy { $0.buryAfterTimeouts = 1 }
        let worker = world.connect()
        worker.sends(.put("poison", ttr: 1), .reserve)
        world.advance(.seconds(1))
        worker.sends(.kick(bound: 1), .reserve)
        #expect(worker.hears().suffix(2) == [.kicked(1), .reserved(1, "poison")])
        world.advance(.seconds(1))
        #expect(stats(1, worker)?.counters == JobCounters(reserves: 2, timeouts: 2, buries: 2, kicks: 1))
        #expect(stats(1, worker)?.state == .buried)
    }

    @Test func aTimeoutIsBuriedWhateverTheJobWasTakenFrom() {
        world.setPolicy { $0.buryAfterTimeouts = 1 }
        let worker = world.connect()
        worker.sends(.put("late", delay: 100, ttr: 1), .reserveJob(1))
        world.advance(.seconds(1))
        #expect(stats(1, worker)?.state == .buried)
        worker.sends(.reserveJob(1))
        world.advance(.seconds(1))
        #expect(stats(1, worker)?.state == .buried)
        #expect(worker.asks(.statsTube("default"))?.tubeStats?.jobs == JobCounts(buried: 1))
    }

    @Test func aClosedConnectionIsNoTimeout() {
        world.setPolicy {
            $0.buryAfterTimeouts = 1
            $0.buryAfterReleases = 1
        }
        let worker = world.connect()
        worker.sends(.put("a"), .reserve)
        worker.disconnects()
        let next = world.connect()
        #expect(next.asks(.reserve) == .reserved(1, "a"))
        #expect(stats(1, next)?.counters == JobCounters(reserves: 2))
    }

    @Test func whileItIsBuriedCommandsWaitForTheOutcome() {
        world.setPolicy { $0.buryAfterTimeouts = 1 }
        let worker = world.connect()
        worker.sends(.put("a", ttr: 1), .reserve)
        _ = worker.hears()
        world.writes = .taken
        world.advance(.seconds(1))
        let other = world.connect()
        other.sends(.delete(1))
        #expect(other.hears() == [])
        world.writes = .flowing
        #expect(other.hears() == [.deleted])
        #expect(world.database.rows.isEmpty)
    }

    @Test func whatCannotBeBuriedIsReady() {
        world.setPolicy { $0.buryAfterTimeouts = 1 }
        let worker = world.connect()
        worker.sends(.put("a", ttr: 1), .reserve)
        world.advance(.milliseconds(900))
        world.writes = .taken
        world.advance(.milliseconds(100))
        world.writeRefusal = .failed
        world.stepWrites(.changes, to: .done)
        world.writeRefusal = nil
        world.writes = .flowing
        worker.sends(.reserve)
        #expect(worker.hears() == [.inserted(1), .reserved(1, "a"), .reserved(1, "a")])
        world.advance(.seconds(1))
        #expect(stats(1, worker)?.state == .buried, "its next timeout tries again")
    }

    // MARK: Releases

    @Test func theLastReleaseBuriesAndSaysSo() {
        world.setPolicy { $0.buryAfterReleases = 2 }
        let worker = world.connect()
        worker.sends(.put("a"), .reserve, .release(1, priority: 5, delay: 0), .reserve)
        #expect(worker.hears().suffix(2) == [.released, .reserved(1, "a")])
        #expect(worker.asks(.release(1, priority: 7, delay: 9)) == .buried)
        let stats = stats(1, worker)
        #expect(stats?.state == .buried)
        #expect(stats?.priority == 7)
        #expect(stats?.counters == JobCounters(reserves: 2, releases: 2, buries: 1))
    }

    // MARK: A limit on ready jobs

    @Test func aFullTubeTakesNoMore() {
        world.setPolicy { $0.maxReady = 2 }
        let client = world.connect()
        // Puts of one packet count while they are in flight.
        client.sends(.put("1"), .put("2"), .put("3"))
        #expect(client.hears() == [.inserted(1), .inserted(2), .outOfMemory])
        #expect(client.asks(.put("later", delay: 9)) == .inserted(3), "it is not ready")
        #expect(client.asks(.reserve) == .reserved(1, "1"))
        #expect(client.asks(.put("3")) == .inserted(4), "a reserved job is not ready")
        #expect(client.asks(.put("4")) == .outOfMemory)
        world.advance(.seconds(9))
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs.ready == 3, "delayed jobs come in")
        let other = world.connect(using: "other")
        #expect(other.asks(.put("elsewhere")) == .inserted(5))
    }

    @Test func aPutThatFailsMakesRoom() {
        world.setPolicy { $0.maxReady = 1 }
        let client = world.connect()
        world.writeRefusal = .failed
        #expect(client.asks(.put("a")) == .internalError)
        world.writeRefusal = nil
        #expect(client.asks(.put("a")) == .inserted(2))
        #expect(client.asks(.put("b")) == .outOfMemory)
    }

    // MARK: History

    /// What the history is told of the job that is being deleted.
    private func recorded(_ client: Client, _ command: Command) -> Ending? {
        world.writes = .stopped
        client.sends(command)
        let ending = world.queue.lanes.changes.pending.deletes.first?.ending
        world.writes = .flowing
        return ending
    }

    @Test func whatAWorkerFinishesIsRecorded() throws {
        world.setPolicy { $0.keepsHistory = true }
        let worker = world.connect()
        worker.sends(.put("a", ttr: 9), .reserve)
        let first = world.now
        world.advance(.seconds(9))
        worker.sends(.reserve)
        let last = world.now
        world.advance(.seconds(2))
        let ending = try #require(recorded(worker, .delete(1)))
        #expect(ending.isFinished)
        #expect(ending.counters == JobCounters(reserves: 2, timeouts: 1))
        #expect(ending.reservations.first == first)
        #expect(ending.reservations.last == last)
        #expect(worker.hears().last == .deleted)
        #expect(world.database.history == [1])
    }

    @Test func whatIsDeletedInNobodysHandsIsRecordedAsThat() throws {
        world.setPolicy { $0.keepsHistory = true }
        let client = world.connect()
        client.sends(.put("ready"), .put("delayed", delay: 9))
        let ending = try #require(recorded(client, .delete(1)))
        #expect(!ending.isFinished)
        #expect(ending.reservations.first == .never)
        #expect(client.asks(.delete(2)) == .deleted, "by a query")
        #expect(world.database.history == [1, 2])
    }

    @Test func aDeleteThatWasAskedBeforeThePolicyWasKnown() {
        let client = world.connect()
        #expect(client.asks(.put("a", delay: 9)) == .inserted(1))
        world.queries = .stopped
        client.sends(.delete(1))
        world.setPolicy { $0.keepsHistory = true }
        world.queries = .flowing
        #expect(client.hears() == [.deleted])
        #expect(world.database.history == [1])
    }

    @Test func aTubeWithoutHistoryLeavesNone() {
        world.setPolicy(of: "other") { $0.keepsHistory = true }
        let client = world.connect()
        client.sends(.put("a"), .put("b", delay: 9), .delete(1), .delete(2))
        #expect(client.hears().suffix(2) == [.deleted, .deleted])
        #expect(world.database.history == [])
    }

    @Test func aRefusedDeleteIsNoReservationMore() throws {
        world.setPolicy { $0.keepsHistory = true }
        let worker = world.connect()
        worker.sends(.put("a"), .reserve)
        let reserved = world.now
        world.jump(.milliseconds(10))
        world.writeRefusal = .failed
        #expect(worker.asks(.delete(1)) == .internalError)
        world.writeRefusal = nil
        let ending = try #require(recorded(worker, .delete(1)))
        #expect(ending.reservations.first == reserved)
        #expect(ending.reservations.last == reserved)
        #expect(world.database.history == [1])
    }

    // MARK: Learning

    @Test func aPolicyCanBeTakenBack() {
        world.setPolicy { $0.maxReady = 1 }
        let client = world.connect()
        client.sends(.put("a"), .put("b"))
        #expect(client.hears() == [.inserted(1), .outOfMemory])
        world.database.policies = [:]
        world.act { queue, _ in queue.learn(policies: []) }
        #expect(client.asks(.put("b")) == .inserted(2))
    }

    @Test func aTubeThatComesLaterHasItsPolicy() {
        let row = world.database.openTube("later").id
        world.act { queue, now in
            queue.learn(policies: [TubePolicy(tube: row, maxReady: 1)])
        }
        let client = world.connect(using: "later")
        client.sends(.put("a"))
        client.sends(.put("b"))
        #expect(client.hears() == [.inserted(1), .outOfMemory])
    }
}
