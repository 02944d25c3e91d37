import Testing

@testable import QueueCore
@testable import Simulation

/// Somebody writes to the table of jobs. The clients of these jobs are told the truth.
@Suite("rows that are deleted or changed behind the broker's back")
struct MissingTests {
    let world = World()

    /// A client that holds jobs 1 to `count`. Other jobs follow, which nobody holds.
    private func holder(of count: Int, others: Int = 0) -> Client {
        let client = world.connect()
        for id in 1...count { client.sends(.put("\(id)"), .reserve) }
        for id in 0..<others { client.sends(.put("\(count + id + 1)")) }
        _ = client.hears()
        return client
    }

    private func delete(_ ids: JobID...) { for id in ids { world.database.write(id, nil) } }

    private var counts: JobCounts? { world.connect().asks(.statsTube("default"))?.tubeStats?.jobs }

    @Test func whoeverHoldsOneThatIsGoneIsToldSo() {
        let client = holder(of: 5)
        delete(1, 2, 3, 4)
        client.sends(
            .delete(1), .release(2, priority: 0, delay: 0), .release(3, priority: 0, delay: 9), .bury(4, priority: 0),
            .delete(5))
        #expect(client.hears() == [.notFound, .notFound, .notFound, .notFound, .deleted])
        #expect(counts == JobCounts())
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
        #expect(world.queue.jobs.byID.count == 0)
    }

    @Test func oneThatIsSomebodyElsesStaysAsItIs() {
        world.peers = 1
        world.beat()
        let client = holder(of: 3)
        for id in 1...3 { world.database.rows[JobID(id)]?.lease = -7 }
        client.sends(.delete(1), .release(2, priority: 5, delay: 0), .bury(3, priority: 5))
        #expect(client.hears() == [.notFound, .notFound, .notFound])
        #expect(world.database.rows.values.allSatisfy { $0.state == .ready && $0.priority == 0 })
        #expect(counts?.ready == 3)
        // Nobody is given the job here while the other broker has it.
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
        world.database.rows[2]?.lease = nil
        world.advance(.seconds(2))
        #expect(client.asks(.reserve) == .reserved(2, "2"))
    }

    @Test func atATouchWhatIsKnown() {
        let client = holder(of: 1)
        delete(1)
        // The reservation is written to the row after half a second. Then the broker knows that the row is gone.
        world.advance(.seconds(1))
        #expect(client.asks(.touch(1)) == .notFound)
        #expect(client.asks(.delete(1)) == .notFound)
        #expect(counts == JobCounts())
    }

    @Test func itsTimeToRunEnds() {
        let client = holder(of: 1)
        delete(1)
        world.advance(.seconds(61))
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
        #expect(counts == JobCounts())
        #expect(world.queue.jobs.byID.count == 0)
    }

    @Test func itsClientLeaves() {
        let client = holder(of: 1)
        delete(1)
        world.advance(.seconds(1))
        client.disconnects()
        #expect(counts == JobCounts())
    }

    /// The client holds job 1. Jobs 2 and 3 are the next, and their bodies stay in the database until they are
    /// reserved.
    private func lineUp() -> (World, Client, body: String) {
        let world = World(cacheBytes: 10_000)
        let client = world.connect()
        let body = String(repeating: "x", count: 20_000)
        client.sends(.put(body), .put(body), .put(body), .reserve)
        _ = client.hears()
        return (world, client, body)
    }

    @Test func whoeverIsAboutToGetOneGetsTheNext() {
        let (world, client, body) = lineUp()
        world.database.write(2, nil)
        #expect(client.asks(.reserve) == .reserved(3, body))
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs == JobCounts(reserved: 2))
    }

    @Test func whoeverAsksForOneByItsIDIsToldSo() {
        let (world, client, _) = lineUp()
        world.database.write(2, nil)
        #expect(client.asks(.reserveJob(2)) == .notFound)
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs == JobCounts(urgent: 1, ready: 1, reserved: 1))
    }

    /// The epoch has died meanwhile. The outcome of the batch is true nevertheless.
    @Test func alsoWhenTheEpochIsDead() {
        let client = holder(of: 2)
        world.writes = .taken
        client.sends(.delete(1), .delete(2))
        delete(1)
        world.writes = .done
        world.act { $0.detach(now: $1) }
        world.writes = .flowing
        #expect(client.hears() == [.notFound, .deleted])
    }
}
