import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Jobs are reserved, deleted and described by their id")
struct QueryJobTests {
    let broker: TestBroker
    let peer: TestBroker
    let db: Database

    /// Job 1 is ready, 2 delayed, 3 buried, 4 leased here, 5 leased by a peer, and 6 leased by a dead broker.
    init() throws {
        broker = try TestBroker()
        peer = try broker.peer()
        db = broker.db
        let dead = try broker.peer()
        try broker.put(
            broker.put(1, priority: 5, body: Body("one".utf8)), broker.put(2, delay: 100),
            broker.put(3, leased: true), broker.put(4, leased: true))
        _ = try broker.write { $0.stateChanges = [broker.move(3, to: .buried)] }
        try peer.put(peer.put(5, leased: true))
        try dead.put(dead.put(6, leased: true))
        try dead.die()
    }

    @Test func aReserveTakesAJobInAnyStateUnlessAPeerLeasesIt() throws {
        let answers = try (1...7).map { try broker.find(.reserve($0)) }
        #expect(answers.map { $0.map(\.id) } == [[1], [2], [3], [4], [], [6], []])
        #expect(answers.flatMap { $0 }.map(\.state) == [.ready, .delayed, .buried, .ready, .ready])
        #expect(answers[0][0].body == Body("one".utf8))
        #expect(answers[0][0].priority == 5 && answers[0][0].ttr == 60)
        #expect(
            try db.rows("select id from job where lease_epoch = \(broker.epoch) order by id") == "(1) (2) (3) (4) (6)")
        // The stored state is unchanged: the lease says that the job is held.
        #expect(try db.rows("select id, state from job order by id") == "(1,0) (2,1) (3,2) (4,0) (5,0) (6,0)")
    }

    @Test func aDeleteTakesAJobInAnyStateUnlessAPeerLeasesIt() throws {
        let answers = try broker.ask((1...7).map { .delete($0) })
        let deleted = answers.map { if case .rows(let rows) = $0 { rows.map(\.id) } else { nil as [JobID]? } }
        #expect(deleted == [[1], [2], [3], [4], [], [6], []])
        #expect(try db.rows("select id from job") == "(5)")
        #expect(try db.countsAgree())
    }

    @Test func noJobHasAnIDBeyondABigint() throws {
        for query: Query in [.reserve(.max), .delete(.max), .peek(.max), .job(.max)] {
            #expect(try broker.find(query).isEmpty)
        }
        guard case .readied(let readied) = try broker.ask(.kickJob(.max)) else { throw WireMismatch("not readied") }
        #expect(readied.isEmpty)
    }

    @Test func peekShowsEveryJobAndTakesNone() throws {
        let before = try db.rows("select * from job order by id")
        #expect(try (1...7).map { try broker.find(.peek($0)).map(\.id) } == [[1], [2], [3], [4], [5], [6], []])
        #expect(try broker.find(.peek(1)).first?.body == Body("one".utf8))
        #expect(try db.rows("select * from job order by id") == before)
    }

    @Test func theFirstFreeJobOfEachStateIsFound() throws {
        try broker.put(broker.put(7, priority: 4), broker.put(8, delay: 50), broker.put(9, leased: true))
        _ = try broker.write { $0.stateChanges = [broker.move(9, to: .buried)] }
        func first(_ state: StoredState) throws -> [JobID] {
            try broker.find(.first(tube: broker.tube, state: state, except: [])).map(\.id)
        }
        #expect(try first(.ready) == [6])
        #expect(try first(.delayed) == [8])
        #expect(try first(.buried) == [3])
        for id: JobID in [6, 8, 3] { _ = try broker.ask(.reserve(id)) }
        #expect(try first(.ready) == [7])
        #expect(try first(.delayed) == [2])
        #expect(try first(.buried) == [9])
        #expect(try broker.find(.first(tube: broker.tube, state: .ready, except: [])).first?.body == [1])
    }

    @Test func describeTellsAgeAndTimeLeft() throws {
        try db.run(
            """
            update job set created_at = now() - interval '1000 s', due_at = now() + interval '50 s', kicks = 5,
                reserves = 1, timeouts = 2, releases = 3, buries = 4
            where id = 2
            """)
        let row = try #require(try broker.find(.job(2)).first)
        #expect((1_000_000_000...1_020_000_000).contains(row.age))
        #expect((30_000_000...50_000_000).contains(row.left))
        #expect(row.state == .delayed && row.delay == 100 && row.ttr == 60 && row.body == nil && !row.isReserved)
        #expect(row.counters == JobCounters(reserves: 1, timeouts: 2, releases: 3, buries: 4, kicks: 5))
        #expect(try broker.find(.job(7)).isEmpty)
    }

    @Test func describeTellsWhetherAClientHoldsIt() throws {
        #expect(try broker.find(.job(5)).first?.isReserved == false)
        _ = try peer.write {
            $0.annotations = [Annotation(id: 5, reserved: (0, 40_000_000), counters: JobCounters(reserves: 1))]
        }
        let row = try #require(try broker.find(.job(5)).first)
        #expect(row.isReserved)
        #expect((20_000_000...40_000_000).contains(row.left))
        try peer.die()
        #expect(try broker.find(.job(5)).first?.isReserved == false)
    }

    /// A reservation that ended with its broker says nothing about the time left of a delayed job.
    @Test func aDelayedJobWhoseHolderDiedHasTheRestOfItsDelayLeft() throws {
        _ = try peer.ask(.reserve(2))
        _ = try peer.write {
            $0.annotations = [Annotation(id: 2, reserved: (0, 7_000_000_000), counters: JobCounters(reserves: 1))]
        }
        try peer.die()
        let row = try #require(try broker.find(.job(2)).first)
        #expect(row.state == .delayed && !row.isReserved)
        #expect((80_000_000...100_000_000).contains(row.left))
    }
}
