import Testing

@testable import QueueCore
@testable import Simulation

/// What a broker leases ahead of its clients beside another broker (docs/ARCHITECTURE.md, Several brokers).
@Suite("leases ahead of clients")
struct ShareTests {
    let world = World()

    init() {
        world.peers = 1
        world.beat()
    }

    /// The ids of the jobs that this broker has leased.
    private var leased: Set<JobID> {
        Set(world.database.rows.values.filter { $0.lease == world.queue.epoch }.map(\.id))
    }

    private func put(_ count: Int) {
        world.connect(using: "t").sends(Array(repeating: .put("a"), count: count))
    }

    private func othersAwait(_ tube: TubeName) {
        world.act { $0.othersAwait([tube], now: $1) }
        world.settle()
    }

    /// A client that does jobs as they come, and has just done `count` of them.
    private func worker(done count: Int) -> Client {
        let worker = world.connect(watching: "t")
        for _ in 0..<count {
            worker.sends(.reserve)
            put(1)
            for case .reserved(let id, _) in worker.hears() { worker.sends(.delete(id)) }
            _ = worker.hears()
        }
        return worker
    }

    @Test func whereNobodyElseWaitsIsLeasedWhatIsTakenInASecond() {
        _ = worker(done: 3)
        put(20)
        #expect(leased.count == 12)
    }

    @Test func whereNobodyTakesNothingIsLeasedAhead() {
        _ = world.connect(watching: "t")
        put(3)
        #expect(leased.isEmpty)
    }

    @Test func whereOthersWaitABusyClientHasOneJobAhead() {
        let worker = worker(done: 3)
        othersAwait("t")
        put(1)
        #expect(leased.isEmpty, "the client is idle, and need not come back")
        worker.sends(.reserve)
        put(2)
        #expect(leased.count == 2, "the job that the client has, and the next one")
    }

    @Test func whatIsAheadGoesBackWhenOthersBeginToWait() {
        _ = worker(done: 3)
        put(20)
        #expect(leased.count == 12)
        othersAwait("u")
        #expect(leased.count == 12)
        othersAwait("t")
        #expect(leased.isEmpty)
    }

    @Test func whatIsAheadGoesBackAfterTwoTicks() {
        _ = worker(done: 3)
        put(20)
        for _ in 0..<3 { world.advance(Queue.tick) }
        #expect(leased.isEmpty)
    }

    @Test func aClientThatComesBackFindsItsJobHere() {
        let worker = worker(done: 3)
        put(20)
        world.queries = .stopped
        worker.sends(.reserve)
        #expect(worker.hears().count == 1, "nothing is asked of the database")
    }

    @Test func aRefillLeasesTheShare() {
        let worker = worker(done: 3)
        world.advance(.seconds(5))
        put(20)
        #expect(leased.isEmpty)
        for _ in 0..<3 { worker.sends(.reserve) }
        #expect(leased.count > 3)
    }

    @Test func whatAClientTakesIsPublishedAsAWait() {
        let worker = world.connect(watching: "t")
        put(1)
        var notices: Notices?
        worker.sends(.reserve)
        world.act { queue, _ in notices = queue.takeNotices() }
        #expect(notices?.waits == ["t": true])
    }
}
