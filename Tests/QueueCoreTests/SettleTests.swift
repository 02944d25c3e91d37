import Testing

@testable import QueueCore
@testable import Simulation

@Suite("delete, release, bury, kick")
struct SettleTests {
    let world = World()

    /// A client that holds jobs 1 to `count`, whose bodies are their ids.
    private func holder(of count: Int) -> Client {
        let client = world.connect()
        for id in 1...count { client.sends(.put("\(id)"), .reserve) }
        _ = client.hears()
        return client
    }

    @Test("invariant 1: release, bury and delete are answered after the commit, in order")
    func ackMeansDurable() {
        let client = holder(of: 3)
        world.writes = .done
        client.sends(.delete(1), .delete(9), .release(2, priority: 4, delay: 0), .bury(3, priority: 5))
        #expect(client.hears() == [])
        world.writes = .flowing
        #expect(client.hears() == [.deleted, .notFound, .released, .buried])
        #expect(world.database.rows[2]?.priority == 4)
        #expect(world.database.rows[3]?.priority == 5)
    }

    @Test func aReleasedJobIsNobodysBeforeTheCommit() {
        let (client, other) = (holder(of: 1), world.connect())
        world.writes = .taken
        client.sends(.release(1, priority: 0, delay: 0))
        other.sends(.reserveWithTimeout(seconds: 0), .reserve)
        #expect(other.hears() == [.timedOut])
        world.writes = .flowing
        #expect(other.hears() == [.reserved(1, "1")])
    }

    @Test func onlyTheHolderMaySettle() {
        _ = holder(of: 1)
        let other = world.connect()
        other.sends(.release(1, priority: 0, delay: 0), .bury(1, priority: 0), .touch(1), .delete(1))
        #expect(other.hears() == [.notFound, .notFound, .notFound, .notFound])
    }

    @Test func anybodyMayDeleteWhatNobodyHolds() {
        let client = holder(of: 1)
        client.sends(.put("2"), .put("3", delay: 9), .bury(1, priority: 0))
        _ = client.hears()
        let other = world.connect()
        other.sends(.delete(1), .delete(2), .delete(3), .delete(3))
        #expect(other.hears() == [.deleted, .deleted, .deleted, .notFound])
        #expect(world.database.rows.isEmpty)
    }

    @Test func releaseWithADelay() {
        let client = holder(of: 1)
        #expect(client.asks(.release(1, priority: 0, delay: 2)) == .released)
        let stats = client.asks(.statsJob(1))?.jobStats
        #expect(stats?.state == .delayed)
        #expect(stats?.counters == JobCounters(reserves: 1, releases: 1))
        client.sends(.reserve)
        world.advance(.milliseconds(2010))
        #expect(client.hears() == [.reserved(1, "1")])
    }

    @Test func kickTakesBuriedJobsFirstInTheOrderOfTheirBurial() {
        let client = holder(of: 3)
        client.sends(.bury(2, priority: 0), .bury(1, priority: 0), .put("4", delay: 9))
        _ = client.hears()
        #expect(client.asks(.peekBuried) == .found(2, "2"))
        #expect(client.asks(.kick(bound: 1)) == .kicked(1))
        #expect(client.asks(.peekReady) == .found(2, "2"))
        client.sends(.kick(bound: 10), .kick(bound: 10), .kick(bound: 10), .kick(bound: 0))
        #expect(client.hears() == [.kicked(1), .kicked(1), .kicked(0), .kicked(0)])
        #expect(client.asks(.statsJob(4))?.jobStats?.counters.kicks == 1)
    }

    @Test func kickBeyondOneStatementStaysWithTheBuried() {
        let client = world.connect()
        client.sends((0..<10).map { _ in .put("", delay: 99) })
        let row = world.database.tube("default")?.id ?? 0
        for id in 100..<JobID(100 + Queue.kickChunk) {
            var buried = world.database.rows[1]
            buried?.id = id
            buried?.tube = row
            buried?.state = .buried
            buried?.buryOrder = Int(id)
            world.database.rows[id] = buried
        }
        #expect(client.asks(.kick(bound: 5000)) == .kicked(Queue.kickChunk))
    }

    @Test func kickJob() {
        let client = holder(of: 2)
        client.sends(.bury(1, priority: 0), .put("3", delay: 9))
        _ = client.hears()
        client.sends(.kickJob(1), .kickJob(1), .kickJob(2), .kickJob(3), .kickJob(4))
        #expect(client.hears() == [.kickedJob, .notFound, .notFound, .kickedJob, .notFound])
    }

    @Test func twoCommandsOnTheSameUnknownJob() {
        let (one, two) = (world.connect(), world.connect())
        one.sends(.put("a", delay: 99))
        _ = one.hears()
        world.queries = .taken
        one.sends(.reserveJob(1))
        two.sends(.delete(1), .kickJob(1))
        world.queries = .flowing
        #expect(one.hears() == [.reserved(1, "a")])
        #expect(two.hears() == [.notFound, .notFound])
    }

    @Test func aRefillMayFindTheJobThatAQueryIsAbout() {
        world.connect(using: "t").sends(.put("a"), .put("b"))
        let (worker, other) = (world.connect(watching: "t"), world.connect())
        world.queries = .taken
        worker.sends(.reserve)
        other.sends(.delete(1))
        let third = world.connect()
        third.sends(.kickJob(2))
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(2, "b")])
        #expect(other.hears() == [.deleted])
        #expect(third.hears() == [.notFound])
        #expect(worker.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
    }

    @Test func aRefusedChangeLeavesTheJobWithItsHolder() {
        let client = holder(of: 1)
        world.writeRefusal = .failed
        #expect(client.asks(.delete(1)) == .internalError)
        world.writeRefusal = nil
        #expect(client.asks(.statsJob(1))?.jobStats?.counters.reserves == 1)
        #expect(client.asks(.release(1, priority: 0, delay: 0)) == .released)
    }
}
