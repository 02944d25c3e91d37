import Testing

@testable import QueueCore
@testable import Simulation

/// The epoch dies, and a new one begins (docs/ARCHITECTURE.md, Leases and epochs). Invariant 2: one holder.
@Suite("fencing")
struct FencingTests {
    let world = World()

    /// Another broker declares this one dead.
    private func declareBrokerDead() { world.database.epochs.removeAll() }

    private func detach() {
        world.act { $0.detach(now: $1) }
        world.settle()
    }

    private func takenByAnother(_ id: JobID) {
        let other = world.database.register()
        world.database.rows[id]?.lease = other
    }

    @Test func holdersAreCutOffAndPutsWaitForTheNextEpoch() {
        let (holder, other) = (world.connect(), world.connect())
        holder.sends(.put("a"), .reserve)
        declareBrokerDead()
        other.sends(.put("b"))
        #expect(holder.isClosed)
        #expect(other.hears() == [])
        world.attach()
        guard case .inserted(let id)? = other.hears().first else { return #expect(Bool(false), "no answer") }
        #expect(other.asks(.statsTube("default"))?.tubeStats?.jobs.ready == 2)
        other.sends(.reserve, .reserve)
        #expect(other.hears() == [.reserved(1, "a"), .reserved(id, "b")])
    }

    @Test func ofAChangeThatNeededTheLeaseNothingIsSaid() {
        let client = world.connect()
        client.sends(.put("a"), .reserve)
        _ = client.hears()
        declareBrokerDead()
        client.sends(.delete(1))
        #expect(client.isClosed)
        #expect(client.hears() == [])
    }

    @Test func queriesAreAskedAgainUnderTheNextEpoch() {
        let client = world.connect()
        client.sends(.put("a", delay: 100))
        declareBrokerDead()
        client.sends(.kick(bound: 10))
        #expect(client.hears() == [.inserted(1)])
        world.attach()
        #expect(client.hears() == [.kicked(1)])
    }

    @Test func withoutARenewalNothingIsGivenOutFromMemory() {
        let client = world.connect()
        client.sends(.put("first"), .reserve, .put("a"))
        #expect(client.hears() == [.inserted(1), .reserved(1, "first"), .inserted(2)])
        world.beats = false
        world.queries = .stopped
        world.jump(.seconds(3))
        client.sends(.reserve)
        #expect(client.hears() == [])
        world.beat()
        #expect(client.hears() == [.reserved(2, "a")])
    }

    @Test func withoutARenewalReserveJobWaitsToo() {
        let client = world.connect()
        client.sends(.put("a"))
        world.beats = false
        world.queries = .taken
        world.jump(.seconds(3))
        client.sends(.reserveJob(1))
        #expect(client.hears() == [.inserted(1)])
        world.queries = .flowing
        world.beat()
        #expect(client.hears() == [.reserved(1, "a")])
    }

    @Test func aRefillAnsweredAfterTheEpochHasDiedGivesNothing() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .done
        worker.sends(.reserve)
        // The query is done under the old epoch. Then that epoch dies, and another broker takes the job.
        declareBrokerDead()
        detach()
        takenByAnother(1)
        world.attach()
        world.queries = .flowing
        world.advance(.seconds(2))
        #expect(worker.hears() == [])
    }

    @Test func aReserveJobAnsweredAfterTheEpochHasDiedGivesNothing() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect()
        world.queries = .done
        worker.sends(.reserveJob(1))
        declareBrokerDead()
        detach()
        takenByAnother(1)
        world.attach()
        world.queries = .flowing
        #expect(worker.hears() == [.notFound])
        #expect(world.queue.jobs.byID[1] == nil)
    }

    @Test func aLeasedPutCommittedUnderTheOldEpochIsNotCached() {
        let client = world.connect()
        client.sends(.put("first"))
        world.writes = .done
        client.sends(.put("a"))
        declareBrokerDead()
        detach()
        takenByAnother(2)
        world.attach()
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2)])
        client.sends(.reserve)
        client.sends(.reserveWithTimeout(seconds: 0))
        #expect(client.hears() == [.reserved(1, "first"), .timedOut])
        #expect(client.asks(.statsTube("default"))?.tubeStats?.jobs.total == 2)
    }

    @Test func aBatchFencedLateLeavesTheNewEpochAlone() {
        let client = world.connect()
        world.writes = .taken
        client.sends(.put("a"))
        declareBrokerDead()
        detach()
        world.attach()
        world.writes = .flowing
        world.advance(.seconds(1))
        #expect(client.hears().count == 1)
        #expect(world.database.rows.count == 1)
    }

    @Test func queriesFencedLateLeaveTheNewEpochAlone() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .taken
        worker.sends(.reserve)
        declareBrokerDead()
        detach()
        world.attach()
        world.queries = .flowing
        world.advance(.seconds(1))
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func aRowFoundWhileUndecidedIsForgottenWithItsEpoch() {
        world.connect(using: "t").sends(.put("a"))
        let (worker, deleter) = (world.connect(watching: "t"), world.connect())
        world.queries = .taken
        worker.sends(.reserve)
        deleter.sends(.delete(1))
        // The refill is answered. The delete comes too late for the epoch.
        world.stepQueries()
        world.stepQueries()
        world.stepQueries()
        declareBrokerDead()
        world.queries = .flowing
        takenByAnother(1)
        world.attach()
        world.advance(.seconds(1))
        #expect(deleter.hears() == [.notFound])
        #expect(worker.hears() == [])
    }

    @Test("invariant 2: a job that is leased and whose epoch lapses before the broker hears of it waits for a renewal")
    func aReserveJobAnsweredAfterTheEpochHasLapsedWaits() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect()
        world.queries = .done
        worker.sends(.reserveJob(1))
        world.beats = false
        world.jump(.seconds(3))
        world.queries = .flowing
        #expect(worker.hears() == [])
        world.beat()
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func aReserveJobWhoseEpochLapsesAndDiesIsAskedAgain() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect()
        world.queries = .done
        worker.sends(.reserveJob(1))
        world.beats = false
        world.jump(.seconds(3))
        world.queries = .flowing
        declareBrokerDead()
        takenByAnother(1)
        detach()
        world.attach()
        #expect(worker.hears() == [.notFound])
    }

    @Test func aJobWhoseChangeIsOpenWhenTheNextEpochReadsItIsNotLost() {
        let holder = world.connect(using: "t", watching: "t")
        holder.sends(.put("a"), .reserve)
        world.writes = .taken
        holder.sends(.bury(1, priority: 0))
        declareBrokerDead()
        detach()
        world.attach()
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        world.writes = .flowing
        world.advance(.seconds(3))
        #expect(holder.isClosed)
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func aLeasedPutOfTheOldEpochIsReadByTheNextBeforeItIsAnswered() {
        let (client, worker) = (world.connect(), world.connect())
        client.sends(.put("first"))
        world.writes = .done
        client.sends(.put("a"))
        declareBrokerDead()
        detach()
        world.attach()
        worker.sends(.reserve, .reserve)
        #expect(worker.hears() == [.reserved(1, "first"), .reserved(2, "a")])
        world.writes = .flowing
        #expect(client.hears() == [.inserted(1), .inserted(2)])
        #expect(client.asks(.reserveWithTimeout(seconds: 0)) == .timedOut)
    }
}
