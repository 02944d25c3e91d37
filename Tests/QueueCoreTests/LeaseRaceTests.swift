import Testing

@testable import QueueCore
@testable import Simulation

/// The writer and the reader answer independently: one may see what the other has done before the broker is told.
@Suite("races of writer and reader")
struct LeaseRaceTests {
    let world = World()

    @Test func aRefillMayFindAJobWhoseReturnIsNotKnownYet() {
        let holder = world.connect()
        holder.sends(.put("a"), .reserve)
        world.peers = 1
        world.beat()
        // Nobody waits, so the release gives up the lease. It commits, and the broker has not been told yet.
        world.writes = .done
        holder.sends(.release(1, priority: 0, delay: 0))
        let worker = world.connect()
        worker.sends(.reserve)
        world.writes = .flowing
        world.advance(.seconds(3))
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    /// Another broker had the job in between and has changed its row.
    @Test(arguments: [Command.release(1, priority: 9, delay: 0), .bury(1, priority: 9)])
    func aJobThatCameBackIsWhatItsRowSays(change: Command) {
        let holder = world.connect(using: "t", watching: "t")
        holder.sends(.put("a"), .reserve)
        world.peers = 1
        world.beat()
        world.writes = .done
        holder.sends(change)
        _ = holder.hears()
        world.database.rows[1]?.state = .ready
        world.database.rows[1]?.priority = 1
        world.database.rows[1]?.counters.releases = 7
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        // The poll finds it.
        world.advance(.seconds(2))
        world.queries = .stopped
        // The job goes to the worker as soon as the broker knows that it has given up the lease itself.
        world.writes = .flowing
        #expect(worker.hears() == [.reserved(1, "a")])
        world.queries = .flowing
        let stats = worker.asks(.statsJob(1))?.jobStats
        #expect(stats?.priority == 1)
        #expect(stats?.counters.releases == 7)
    }

    /// The lease was never given up, so nobody else can have had the job.
    @Test func aReleaseThatKeepsItsLeaseNeedNotBeReadAgain() {
        let (holder, worker) = (world.connect(), world.connect())
        holder.sends(.put("a"), .reserve)
        world.writes = .taken
        holder.sends(.release(1, priority: 0, delay: 0))
        world.act {
            $0.becameClaimable($0.tubes.defaultTube, .first)
            $0.conclude(now: $1)
        }
        worker.sends(.reserve)
        world.queries = .stopped
        world.writes = .flowing
        #expect(world.queue.jobs.byID[1] != nil)
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func whoHasThePlaceOfAClientThatIsGoneKeepsItsJob() {
        let producer = world.connect()
        producer.sends(.put("a"), .reserve, .release(1, priority: 0, delay: 0))
        world.queries = .taken
        let first = world.connect()
        first.sends(.reserve)
        first.disconnects()
        let second = world.connect()
        #expect(second.handler.id.slot == first.handler.id.slot)
        second.sends(.reserve)
        // The body that the first client waits for cannot be read; then the second client's can.
        world.queryRefusal = .failed
        world.stepQueries()
        world.stepQueries()
        world.queryRefusal = nil
        world.queries = .flowing
        #expect(second.hears() == [.reserved(1, "a")])
    }

    @Test func afterAReconnectTheCacheComesBackWhole() {
        let client = world.connect()
        client.sends(.put("a"), .put("b"))
        world.writes = .done
        world.act { $0.reconnected(now: $1) }
        world.settle()
        client.sends(.reserve)
        world.writes = .flowing
        world.advance(.seconds(3))
        client.sends(.reserveWithTimeout(seconds: 0))
        #expect(client.hears() == [.inserted(1), .inserted(2), .reserved(1, "a"), .reserved(2, "b")])
    }

    @Test func aJobTakenBeforeItsPutIsAnsweredCountsOnce() {
        let producer = world.connect(using: "t")
        producer.sends(.put("first"))
        // Nobody watches the tube yet, so the put is not leased. The refill finds it first.
        world.writes = .done
        producer.sends(.put("a"))
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        worker.sends(.reserve)
        #expect(worker.hears() == [.reserved(1, "first"), .reserved(2, "a")])
        #expect(worker.asks(.statsTube("t"))?.tubeStats?.jobs == JobCounts(reserved: 2))
        world.writes = .flowing
        #expect(worker.asks(.statsTube("t"))?.tubeStats?.jobs == JobCounts(reserved: 2))
    }

    @Test func aCacheThatWasReadCatchesUpWithThePuts() {
        let producer = world.connect(using: "t")
        producer.sends(.put("first"))
        let worker = world.connect(watching: "t")
        // While the tube is read for the first time, another job is put.
        world.queries = .done
        worker.sends(.reserve)
        producer.sends(.put("a"), .put("b"))
        #expect(world.database.rows[3]?.lease == world.queue.epoch)
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(1, "first")])
        world.queries = .stopped
        // Nothing has to be read any more.
        worker.sends(.reserve, .reserve)
        #expect(worker.hears() == [.reserved(2, "a"), .reserved(3, "b")])
    }

    @Test func aPutAfterAReconnectIsNotLost() {
        let producer = world.connect(using: "t")
        producer.sends(.put("first"))
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        world.act { $0.reconnected(now: $1) }
        world.settle()
        world.writes = .done
        world.queries = .taken
        worker.sends(.reserve)
        producer.sends(.put("a"))
        world.queries = .flowing
        world.writes = .flowing
        world.advance(.seconds(3))
        #expect(worker.hears() == [.reserved(1, "first"), .reserved(2, "a")])
    }

    /// Two writers lose their connections one after the other. What was read after the first loss does not include
    /// what was forgotten after the second.
    @Test func aSecondReconnectWhileOwnLeasesAreReadHasThemReadAgain() {
        let producer = world.connect(using: "t")
        producer.sends(.put("later", delay: 1000))
        let worker = world.connect(watching: "t")
        world.peers = 1
        world.beat()
        world.act { $0.reconnected(now: $1) }
        world.queries = .done
        worker.sends(.reserve)
        producer.sends(.put("a"))
        #expect(world.database.rows[2]?.lease == world.queue.epoch)
        world.act { $0.reconnected(now: $1) }
        world.queries = .flowing
        world.advance(.seconds(3))
        #expect(worker.hears() == [.reserved(2, "a")])
    }

    @Test func aReleaseOnItsWayWhenOwnLeasesAreReadIsNotCached() {
        let holder = world.connect()
        holder.sends(.put("a"), .reserve)
        world.peers = 1
        world.beat()
        world.writes = .taken
        holder.sends(.release(1, priority: 0, delay: 0))
        world.act { $0.reconnected(now: $1) }
        holder.sends()
        let worker = world.connect()
        worker.sends(.reserveWithTimeout(seconds: 0))
        world.writes = .flowing
        // The row says that the lease is given up, so the memory must say so too.
        #expect(world.database.rows[1]?.lease == nil || world.queue.jobs.byID[1] != nil)
        #expect(world.database.rows[1]?.lease != nil || world.queue.jobs.byID[1] == nil)
    }

    @Test func aRefusedRefillIsTriedAgain() {
        let client = world.connect()
        client.sends(.put("a"))
        // A job in the database had a smaller key, and is gone again.
        world.act {
            $0.becameClaimable($0.tubes.defaultTube, .first)
            $0.conclude(now: $1)
        }
        world.queryRefusal = .full
        client.sends(.reserve)
        world.queryRefusal = nil
        world.advance(.seconds(3))
        #expect(client.hears() == [.inserted(1), .reserved(1, "a")])
    }

    @Test func anImpatientClientIsAnsweredThoughTheRefillIsRefused() {
        let producer = world.connect(using: "t")
        producer.sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queryRefusal = .full
        worker.sends(.reserveWithTimeout(seconds: 0))
        world.queryRefusal = nil
        world.advance(.seconds(3))
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test func anImpatientClientIsAnsweredThoughItsTubeIsPausedMeanwhile() {
        let producer = world.connect(using: "t")
        producer.sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .taken
        producer.sends(.pauseTube("t", seconds: 100))
        worker.sends(.reserveWithTimeout(seconds: 0))
        world.queries = .flowing
        #expect(worker.hears() == [.timedOut])
    }

    @Test func aDeleteOfAJobThatIsBeingGivenUpWaitsForThat() {
        let client = world.connect()
        client.sends(.put("a"), .put("b"), .put("c"))
        world.writes = .taken
        world.peers = 1
        world.beat()
        client.sends(.delete(1))
        client.sends(.reserveJob(2))
        let stats = world.connect().asks(.statsJob(3))?.jobStats
        world.writes = .flowing
        #expect(client.hears().suffix(2) == [.deleted, .reserved(2, "b")])
        #expect(stats?.state == .ready)
        #expect(stats?.timeLeft == 0)
    }

    @Test func aJobDeletedWhileOwnLeasesAreReadIsNotFoundAgain() {
        let client = world.connect()
        client.sends(.put("a"), .reserve)
        world.queries = .taken
        world.act { $0.reconnected(now: $1) }
        let other = world.connect()
        other.sends(.reserveWithTimeout(seconds: 0))
        world.queries = .done
        client.sends(.delete(1))
        world.queries = .flowing
        #expect(client.hears() == [.inserted(1), .reserved(1, "a"), .deleted])
        #expect(other.hears() == [.timedOut])
        #expect(world.queue.jobs.byID.isEmpty)
    }

    @Test func aReleaseKnownWhileOwnLeasesAreReadIsNotCachedWithoutItsLease() {
        let holder = world.connect()
        holder.sends(.put("a"), .reserve)
        world.peers = 1
        world.beat()
        world.queries = .taken
        world.act { $0.reconnected(now: $1) }
        let worker = world.connect()
        worker.sends(.reserveWithTimeout(seconds: 0))
        world.queries = .done
        world.writes = .taken
        holder.disconnects()
        world.writes = .flowing
        world.queries = .flowing
        #expect(worker.hears() == [.reserved(1, "a")])
        #expect(world.database.rows[1]?.lease == world.queue.epoch)
    }

    @Test func anIdThatIsGuessedBeforeItsPut() {
        let (guesser, producer) = (world.connect(), world.connect())
        producer.sends(.put("first"))
        world.queries = .taken
        guesser.sends(.delete(2))
        producer.sends(.put("a"))
        world.queries = .flowing
        #expect(guesser.hears() == [.deleted])
        #expect(producer.hears() == [.inserted(1), .inserted(2)])
        producer.sends(.reserve, .reserveWithTimeout(seconds: 0))
        #expect(producer.hears() == [.reserved(1, "first"), .timedOut])
    }

    @Test func anIdThatIsGuessedBeforeItsPutIsKnown() {
        let (guesser, producer) = (world.connect(), world.connect())
        producer.sends(.put("first"))
        world.writes = .done
        world.queries = .done
        guesser.sends(.put("b"), .delete(3))
        producer.sends()
        world.writes = .taken
        producer.sends(.put("a"))
        world.writes = .flowing
        world.queries = .flowing
        let replies = guesser.hears()
        #expect(replies == [.inserted(2), .deleted] || replies == [.inserted(2), .notFound])
        #expect(Set(world.queue.jobs.byID.keys) == Set(world.database.rows.keys))
    }

    @Test func aJobInATubeThatIsNotKnownHereKeepsNoLease() {
        let client = world.connect()
        let id = world.database.putForeign(in: "elsewhere", at: world.now)
        let reply = client.asks(.reserveJob(id))
        // Either the client has the job, or anybody may have it.
        #expect((reply == .notFound) == (world.database.rows[id]?.lease == nil))
    }

    @Test func aJobForgottenWhileOwnLeasesAreReadIsReadNext() {
        let producer = world.connect(using: "t")
        producer.sends(.put("first"))
        let worker = world.connect(watching: "t")
        #expect(worker.asks(.reserve) == .reserved(1, "first"))
        world.peers = 1
        world.beat()
        world.queries = .taken
        world.act { $0.reconnected(now: $1) }
        worker.sends(.reserve)
        // The tube has been read. Then "a" is put, born leased, and forgotten before the answer comes.
        world.queries = .done
        producer.sends(.put("a"))
        #expect(world.database.rows[2]?.lease == world.queue.epoch)
        world.act { $0.reconnected(now: $1) }
        world.queries = .flowing
        world.advance(.seconds(3))
        #expect(worker.hears() == [.reserved(2, "a")])
    }

    /// A refill reads a job that was buried and has been kicked since.
    enum Bury: CaseIterable { case isNotKnown, isKnownWithTheAnswer }

    @Test(arguments: [0, 1], Bury.allCases)
    func aJobKickedBeforeItsBuryIsKnown(peers: Int, bury: Bury) {
        let holder = world.connect(using: "t", watching: "t")
        holder.sends(.put("a"), .reserve)
        world.peers = peers
        world.beat()
        world.writes = .done
        holder.sends(.bury(1, priority: 0))
        #expect(world.connect(using: "t").asks(.kick(bound: 1)) == .kicked(1))
        let worker = world.connect(watching: "t")
        if bury == .isKnownWithTheAnswer { world.queries = .done }
        worker.sends(.reserve)
        world.writes = .flowing
        world.queries = .flowing
        world.advance(.seconds(3))
        #expect(holder.hears() == [.inserted(1), .reserved(1, "a"), .buried])
        #expect(worker.hears() == [.reserved(1, "a")])
    }
}
