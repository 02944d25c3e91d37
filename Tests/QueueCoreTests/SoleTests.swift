import Testing

@testable import QueueCore
@testable import Simulation

/// A sole broker does not write its leases (docs/ARCHITECTURE.md, The sole broker).
@Suite("the sole broker")
struct SoleTests {
    let world = World()

    /// A tube with the jobs "a" and "b", put before anybody watched it, and a worker that holds "a".
    private func worker() -> Client {
        world.connect(using: "t").sends(.put("a"), .put("b"))
        let worker = world.connect(watching: "t")
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        return worker
    }

    @Test func aBacklogIsReadAndNotLeased() {
        let worker = worker()
        #expect(world.database.rows[1]?.lease == nil)
        #expect(worker.asks(.delete(1)) == .deleted)
        #expect(world.database.rows.keys.sorted() == [2])
    }

    @Test("a backlog is read on before the last known job is given out")
    func nobodyWaitsForTheNextPage() {
        let producer = world.connect(using: "t")
        for _ in 0..<ReadyCache.smallestChunk * 2 { producer.sends(.put()) }
        let worker = world.connect(watching: "t")
        for _ in 0..<ReadyCache.smallestChunk / 2 { worker.sends(.reserve) }
        let known = world.queue.tubes[world.queue.tubes.byName["t"]!].cache.heap.count
        world.queries = .stopped
        for _ in 0..<known { worker.sends(.reserve) }
        let (isAsked, waiting) = (world.queue.hasQueries, world.queue.connections.waiting)
        #expect(isAsked && waiting == 0)
    }

    @Test func aJobInHandIsNotReadyForPeeks() {
        let worker = worker()
        #expect(worker.asks(.delete(1)) == .deleted)
        #expect(worker.asks(.reserve) == .reserved(2, "b"))
        #expect(world.connect(using: "t").asks(.peekReady) == .notFound)
    }

    @Test func aReservationThatLastsIsWritten() {
        _ = worker()
        world.advance(.seconds(2))
        #expect(world.database.rows[1]?.lease == world.queue.epoch)
        #expect(world.database.rows[1]?.reservedAt != nil)
        #expect(world.database.rows[2]?.lease == nil)
    }

    @Test("invariant 2: what is in use is leased before others may claim")
    func whatIsInUseIsLeasedWhenAnotherComes() {
        let worker = worker()
        world.peers = 1
        world.beat()
        #expect(world.database.sole == nil)
        #expect(world.database.rows[1]?.lease == world.queue.epoch)
        #expect(world.database.rows[2]?.lease == nil)
        #expect(worker.asks(.delete(1)) == .deleted)
        #expect(worker.asks(.reserve) == .reserved(2, "b"))
        #expect(world.database.rows[2]?.lease == world.queue.epoch)
    }

    @Test func changesQueueBehindTheLeases() {
        let worker = worker()
        world.writes = .stopped
        world.peers = 1
        world.beat()
        worker.sends(.delete(1))
        #expect(world.database.sole == world.queue.epoch)
        #expect(worker.hears() == [])
        world.writes = .flowing
        #expect(worker.hears() == [.deleted])
    }

    @Test func aRefusedEndIsTriedAgain() {
        _ = worker()
        world.writeRefusal = .failed
        world.writes = .stopped
        world.peers = 1
        world.beat()
        _ = world.stepWrites(.changes)
        _ = world.stepWrites(.changes)
        _ = world.stepWrites(.changes)
        #expect(world.database.sole == world.queue.epoch)
        world.writeRefusal = nil
        world.writes = .flowing
        #expect(world.database.sole == nil)
        #expect(world.database.rows[1]?.lease == world.queue.epoch)
    }

    @Test("invariant 2: what was read while it was the sole one is not used afterwards")
    func aReadThatIsAnsweredTooLateIsNotUsed() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .done
        worker.sends(.reserve)
        world.peers = 1
        world.beat()
        let other = world.database.register()
        world.database.rows[1]?.lease = other
        world.queries = .flowing
        #expect(worker.hears() == [])
    }

    @Test("invariant 3: a job deleted while its tube is read does not come back")
    func aReadThatIsOlderThanADelete() {
        let producer = world.connect(using: "t")
        producer.sends(.put("a", priority: 5), .put("b", priority: 5))
        let (worker, other) = (world.connect(watching: "t"), world.connect(watching: "t"))
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        // A job with a smaller key becomes ready. The tube is read again from that key on, including the job that is
        // held.
        producer.sends(.put("c", priority: 1, delay: 60), .kick(bound: 1))
        world.queries = .done
        other.sends(.reserve)
        #expect(worker.asks(.delete(1)) == .deleted)
        world.queries = .flowing
        #expect(other.hears() == [.reserved(3, "c")])
        other.sends(.reserve, .reserveWithTimeout(seconds: 0))
        #expect(other.hears() == [.reserved(2, "b"), .timedOut])
    }

    @Test func whoIsLeftAloneFindsWhatTheOthersHad() {
        world.connect(using: "t").sends(.put("a"))
        world.peers = 1
        world.beat()
        let other = world.database.register()
        world.database.rows[1]?.lease = other
        let worker = world.connect(watching: "t")
        worker.sends(.reserve)
        #expect(worker.hears() == [])
        world.database.epochs.remove(other)
        world.peers = 0
        world.beat()
        #expect(world.database.sole == world.queue.epoch)
        #expect(worker.hears() == [.reserved(1, "a")])
    }

    @Test("a promotion whose answer was lost is ended when another comes")
    func aPromotionThatIsNotKnown() {
        world.peers = 1
        world.beat()
        #expect(world.database.sole == nil)
        // The database has made the broker the sole one again, and the connection was lost before the answer.
        world.database.sole = world.queue.epoch
        world.beat()
        #expect(world.database.sole == nil)
        let wantsSole = world.queue.wantsSole
        #expect(!wantsSole)
    }

    @Test func aBodyIsFoundWhileTheLeaseOfItsJobIsOnItsWay() {
        world.connect(using: "t").sends(.put("a", ttr: 1))
        let worker = world.connect(watching: "t")
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        // The reservation is being written when it ends. Then the job is given out again, and its body has to be
        // fetched.
        world.writes = .taken
        world.advance(.milliseconds(1500))
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
    }

    @Test("invariant 2: a job is not forgotten while its lease is on its way")
    func aLeaseOnItsWayWhenTheConnectionIsLost() {
        let producer = world.connect(using: "t")
        producer.sends(.put("a", priority: 5, ttr: 1))
        let worker = world.connect(watching: "t")
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
        // The end of a reservation is being written while the other writer loses its connection and the tube is read
        // anew.
        world.writes = .stopped
        world.advance(.seconds(2))
        world.stepWrites(.changes)
        producer.sends(.put("b"))
        for _ in 0..<3 { world.stepWrites(.puts) }
        world.act { $0.reconnected(now: $1) }
        #expect(worker.asks(.reserve) == .reserved(2, "b"))
        world.writes = .flowing
        world.peers = 1
        world.beat()
        #expect(worker.asks(.reserve) == .reserved(1, "a"))
    }

    @Test func whatIsReadAfterTheLastWatcherHasGoneIsForgotten() {
        world.connect(using: "t").sends(.put("a"))
        let worker = world.connect(watching: "t")
        world.queries = .taken
        worker.sends(.reserve)
        worker.disconnects()
        world.advance(.seconds(7))
        world.queries = .flowing
        let read = world.queue.jobs.count
        world.advance(.seconds(7))
        let kept = world.queue.jobs.count
        #expect(read == 1)
        #expect(kept == 0)
    }
}
