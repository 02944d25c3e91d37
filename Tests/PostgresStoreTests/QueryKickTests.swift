import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Kicks and the sweep make jobs ready")
struct QueryKickTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    /// Puts delayed jobs, of which a smaller id is due later, and buries jobs in the order of the list.
    private func put(delayed: [JobID] = [], buried: [JobID] = []) throws {
        let outcome = try broker.write {
            $0.puts = delayed.map { broker.put($0, delay: 1000 - UInt32($0)) }
            $0.puts += buried.map { broker.put($0, priority: 2000, leased: true) }
        }
        #expect(outcome == .committed)
        var bury = WriteBatch(epoch: 0)
        bury.stateChanges = buried.map { id in
            var move = broker.move(id, to: .buried, priority: 2000)
            move.fromPriority = 2000
            return move
        }
        if !buried.isEmpty { #expect(try broker.write { $0.stateChanges = bury.stateChanges } == .committed) }
    }

    private func readied(_ query: Query) throws -> [Readied] {
        switch try broker.ask(query) {
        case .readied(let readied), .swept(let readied, _, _): return readied
        default: throw WireMismatch("not readied")
        }
    }

    private func kick(_ bound: Int, _ state: StoredState? = nil) throws -> [Readied] {
        try readied(.kick(tube: broker.tube, bound: bound, state: state))
    }

    private var ready: String { get throws { try db.rows("select id from job where state = 0 order by id") } }

    @Test func buriedJobsAreKickedFirstInTheOrderOfTheirBurial() throws {
        try put(delayed: [1, 2], buried: [9, 3, 7])
        let kicked = try kick(2)
        #expect(kicked.map(\.count) == [2])
        #expect(kicked.map(\.from) == [.buried])
        #expect(kicked.map(\.urgent) == [0])
        #expect(kicked.map(\.first) == [JobKey(priority: 2000, id: 3)])
        #expect(try ready == "(3) (9)")
        // A kick never takes both kinds.
        #expect(try kick(5).map(\.count) == [1])
        #expect(try ready == "(3) (7) (9)")
        let delayed = try kick(1)
        #expect(delayed.map(\.from) == [.delayed])
        #expect(delayed.map(\.urgent) == [1])
        #expect(try ready == "(2) (3) (7) (9)")
        #expect(try kick(5).map(\.count) == [1])
        #expect(try kick(5).isEmpty)
        #expect(try db.rows("select distinct kicks, bury_order from job") == "(1,)")
        #expect(try db.countsAgree())
    }

    @Test func aKickOfOneStateTakesNoOther() throws {
        try put(delayed: [1], buried: [2])
        #expect(try kick(9, .delayed).map(\.from) == [.delayed])
        #expect(try ready == "(1)")
        #expect(try kick(9, .delayed).isEmpty)
        #expect(try kick(9, .buried).map(\.from) == [.buried])
        #expect(try kick(9, .buried).isEmpty)
        #expect(try db.countsAgree())
    }

    @Test func heldJobsAreNotKicked() throws {
        try put(delayed: [1], buried: [2, 3])
        let peer = try broker.peer()
        for id: JobID in [1, 2] { _ = try peer.ask(.reserve(id)) }
        #expect(try kick(9).map(\.count) == [1])
        #expect(try kick(9).isEmpty)
        #expect(try ready == "(3)")
        #expect(try readied(.kickJob(1)).isEmpty)
        #expect(try readied(.kickJob(2)).isEmpty)
        try peer.die()
        #expect(try kick(9).map(\.first.id) == [2])
        #expect(try kick(9).map(\.first.id) == [1])
        #expect(try db.rows("select id from job where lease_epoch is not null") == "")
        #expect(try db.countsAgree())
    }

    @Test func kickJobTakesABuriedOrDelayedJob() throws {
        try put(delayed: [1], buried: [2])
        try broker.put(broker.put(3))
        let delayed = try readied(.kickJob(1))
        #expect(delayed.map(\.from) == [.delayed])
        #expect(delayed.map(\.first) == [JobKey(priority: 0, id: 1)])
        #expect(try readied(.kickJob(2)).map(\.from) == [.buried])
        #expect(try readied(.kickJob(3)).isEmpty)
        #expect(try readied(.kickJob(4)).isEmpty)
        #expect(try db.rows("select id, state, bury_order, kicks from job order by id") == "(1,0,,1) (2,0,,1) (3,0,,0)")
        #expect(try db.countsAgree())
    }

    /// For a ready job `ready_at` is when it became ready, so it is in the past.
    @Test func aKickedJobIsReadySinceNow() throws {
        try put(delayed: [1, 2])
        _ = try readied(.kickJob(1))
        _ = try kick(1)
        #expect(try db.rows("select id from jobs where state = 'ready' and ready_at > now()") == "")
    }

    // MARK: The sweep

    private func sweep(_ limit: Int = 100) throws -> (ids: String, more: Bool, nextDue: Int64?) {
        guard case .swept(_, let more, let nextDue) = try broker.ask(.sweep(limit: limit)) else {
            throw WireMismatch("not swept")
        }
        return (try ready, more, nextDue)
    }

    @Test func onlyDueJobsAreSwept() throws {
        try put(delayed: [1, 2, 3, 4])
        try db.run("update job set due_at = now() - interval '1 s' * id where id <= 3")
        var swept = try sweep(2)
        #expect(swept.ids == "(2) (3)")
        #expect(swept.more)
        swept = try sweep(2)
        #expect(swept.ids == "(1) (2) (3)")
        #expect(!swept.more)
        let nextDue = try #require(swept.nextDue)
        #expect((980_000_000...996_000_000).contains(nextDue))
        #expect(try db.rows("select distinct kicks from job") == "(0)")
        #expect(try db.countsAgree())
    }

    @Test func withoutDelayedJobsNothingIsDueNext() throws {
        let swept = try sweep()
        #expect(swept.ids == "" && !swept.more && swept.nextDue == nil)
    }

    @Test func heldJobsAreNotSwept() throws {
        try put(delayed: [1, 2, 3])
        try db.run("update job set due_at = now() - interval '1 s'")
        let peer = try broker.peer()
        _ = try peer.ask(.reserve(1))
        _ = try broker.ask(.reserve(2))
        let swept = try sweep()
        #expect(swept.ids == "(3)")
        #expect(swept.nextDue == nil)
        try peer.die()
        #expect(try sweep().ids == "(1) (3)")
        #expect(try db.rows("select id from job where lease_epoch is not null") == "(2)")
        #expect(try db.countsAgree())
    }

    @Test func sweptJobsAreReportedByTube() throws {
        let other = try db.addTube("other")
        var elsewhere = broker.put(3, priority: 1024, delay: 1)
        elsewhere.tube = other
        try broker.put(broker.put(1, priority: 2, delay: 1), broker.put(2, priority: 1, delay: 1), elsewhere)
        try db.run("update job set due_at = now()")
        let swept = try readied(.sweep(limit: 9)).sorted { $0.tube < $1.tube }
        #expect(swept.map(\.tube) == [broker.tube, other])
        #expect(swept.map(\.count) == [2, 1])
        #expect(swept.map(\.urgent) == [2, 0])
        #expect(swept.map(\.first) == [JobKey(priority: 1, id: 2), JobKey(priority: 1024, id: 3)])
    }

    // MARK: Tubes

    private func tube(_ query: Query) throws -> (id: TubeID, isNew: Bool) {
        guard case .tube(let id, let isNew) = try broker.ask(query) else { throw WireMismatch("no tube") }
        return (id, isNew)
    }

    @Test func openingATubeCreatesItOnce() throws {
        let name = TubeName(unchecked: String(repeating: "t", count: 200))
        let new = try tube(.openTube(name))
        #expect(new.isNew)
        let old = try tube(.openTube(name))
        #expect(!old.isNew && old.id == new.id)
        #expect(try tube(.openTube(.default)).id == broker.tube)
        #expect(try db.number("select count(*) from tube") == 2)
    }

    @Test func aPauseCanBeSetAndEnded() throws {
        let paused = try tube(.pause(.default, seconds: 4_294_967_295))
        #expect(!paused.isNew && paused.id == broker.tube)
        let years =
            "select pause, round(extract(epoch from paused_until - now()) / 1e6) from tube where name = 'default'"
        #expect(try db.rows(years) == "(4294967295,4295)")
        #expect(try db.holds("(select paused_until > now() from tubes where name = 'default')"))
        #expect(try !tube(.pause(.default, seconds: 0)).isNew)
        #expect(try db.rows("select pause, paused_until from tube") == "(,)")
        #expect(try tube(.pause(TubeName(unchecked: "new"), seconds: 1)).isNew)
    }
}
