import Testing

@testable import QueueCore
@testable import Simulation

/// The database has lost commits: a crash without synchronous commits, or an asynchronous standby that took over. The
/// keeper notices that, and registers a new epoch.
@Suite("lost commits")
struct LostCommitsTests {
    let world = World()

    /// A new epoch on a database that has changed meanwhile.
    private func loseAndAttach(_ change: (inout Database) -> Void = { _ in }) {
        world.database.epochs.removeAll()
        change(&world.database)
        world.act { $0.detach(now: $1) }
        world.attach()
        world.settle()
    }

    @Test func idsThatWereNotUsedAreNotUsedAnyMore() {
        let client = world.connect()
        client.sends(.put("a"))
        let another = world.database.ids(1).lowerBound
        world.act { queue, _ in queue.forgetIDs() }
        client.sends(.put("b"))
        #expect(client.hears() == [.inserted(1), .inserted(another + 1)])
    }

    @Test func aPutWhoseIDIsTakenGetsAnother() {
        let client = world.connect()
        world.writeRefusal = .idTaken
        world.writes = .done
        client.sends(.put("a"), .put("b"))
        world.writeRefusal = nil
        world.writes = .flowing
        #expect(client.hears() == [.inserted(3), .inserted(4)])
        #expect(world.database.rows.keys.sorted() == [3, 4])
    }

    /// Invariant 8: nothing leaks.
    @Test func theNumberOfALostTubeIsNotUsed() {
        let client = world.connect(using: "lost")
        client.sends(.put("a"))
        loseAndAttach { database in
            database.tubes = [Database.TubeEntry(id: 1, name: "other")]
            database.rows = [:]
        }
        client.sends(.put("b"))
        let lost = world.database.tube("lost")
        #expect(lost != nil && lost?.id != 1)
        #expect(world.database.rows.values.map(\.tube) == [lost?.id])
    }

    /// Invariant 8: a query about the old tube is not answered with the new tube's jobs.
    @Test(arguments: [World.Flow.stopped, .taken, .done]) func queriesThatNameALostTubeAreNotAsked(_ flow: World.Flow) {
        let (client, worker) = (world.connect(using: "lost"), world.connect(watching: "lost"))
        client.sends(.put("a", delay: 100))
        world.queries = flow
        client.sends(.kick(bound: 1))
        worker.sends(.reserve)
        _ = client.hears()
        let other = world.database.ids(1).lowerBound
        loseAndAttach { database in
            let row = database.rows.removeValue(forKey: 1)!
            database.tubes = [Database.TubeEntry(id: row.tube, name: "other")]
            database.rows[other] = Database.Row(
                id: other, tube: row.tube, state: .ready, priority: 0, ttr: 60, delay: 0, created: world.now,
                due: world.now, body: [1])
        }
        world.queries = .flowing
        world.advance(.seconds(3))
        #expect(worker.hears() == [])
        #expect(world.database.rows[other]?.lease == nil)
        #expect(client.hears().count == 1)
    }

    /// An answer with the old tube's number comes after the new epoch.
    @Test func aTubeOpenedUnderTheOldEpochIsOpenedAgain() {
        let client = world.connect(using: "lost")
        world.queries = .done
        client.sends(.put("a"))
        loseAndAttach { $0.tubes = [Database.TubeEntry(id: 1, name: "other")] }
        world.queries = .flowing
        guard case .inserted(let id)? = client.hears().first else { return #expect(Bool(false), "no answer") }
        #expect(world.database.rows[id]?.tube == world.database.tube("lost")?.id)
        #expect(world.database.tube("lost")?.id != 1)
    }

    /// If it were forgotten here, the other broker could not get it either: the lease is in its row.
    @Test func afterAReconnectALeaseIsStillKnown() {
        let client = world.connect()
        world.peers = 1
        world.beat()
        let waiting = world.connect()
        waiting.sends(.reserve)
        client.sends(.put("a"), .put("b"))
        _ = waiting.hears()
        let leased = world.database.rows.values.filter { $0.lease == world.queue.epoch }.map(\.id)
        world.act { $0.reconnected(now: $1) }
        #expect(leased.allSatisfy { world.queue.jobs.byID[$0] != nil })
    }
}
