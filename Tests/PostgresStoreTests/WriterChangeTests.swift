import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("The writer changes the jobs that its broker holds, and no others")
struct WriterChangeTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
    }

    /// Jobs 1 to 3 are leased here, job 4 by a peer. Job 5 is free.
    private func putSome() throws -> TestBroker {
        let peer = try broker.peer()
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true), broker.put(3, leased: true))
        try peer.put(peer.put(4, leased: true))
        try broker.put(broker.put(5))
        return peer
    }

    @Test func aReleaseGivesTheJobBack() throws {
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true))
        try db.run("update job set reserved_at = now(), reserved_until = now(), created_at = now() - interval '9 s'")
        let counters = JobCounters(reserves: 5, timeouts: 4, releases: 3, buries: 2)
        let outcome = try broker.write {
            $0.stateChanges = [
                broker.move(1, to: .ready, priority: 11, counters: counters),
                broker.move(2, to: .delayed, priority: 4_294_967_295, delay: 4_294_967_295),
            ]
        }
        #expect(outcome == .committed)
        #expect(
            try db.rows(
                """
                select
                    id, state, priority, delay, lease_epoch, reserved_at, reserved_until, reserves, timeouts, releases,
                    buries, bury_order, extract(epoch from due_at - now())::bigint / 10 as due
                from job order by id
                """) == "(1,0,11,0,,,,5,4,3,2,,0) (2,1,4294967295,4294967295,,,,0,0,0,0,,429496729)")
        #expect(try db.countsAgree())
    }

    @Test func aJobThatTheBrokerGivesBackByItselfKeepsItsTimes() throws {
        try broker.put(broker.put(1, delay: 100, leased: true))
        let due = try db.value("select due_at from job")
        #expect(
            try broker.write {
                $0.stateChanges = [broker.move(1, from: .delayed, to: .delayed, delay: 100, isAsked: false)]
            } == .committed)
        #expect(try db.value("select due_at from job") == due)
        #expect(try db.rows("select state, delay, lease_epoch from job") == "(1,100,)")
        #expect(try db.countsAgree())
    }

    @Test func aMoveMayKeepTheLease() throws {
        try broker.put(broker.put(1, leased: true))
        #expect(try broker.write { $0.stateChanges = [broker.move(1, to: .ready, keepsLease: true)] } == .committed)
        #expect(try db.rows("select lease_epoch from job") == "(\(broker.epoch))")
    }

    @Test func buriedJobsQueueUpInTheOrderOfTheirBurial() throws {
        let ids: [JobID] = [7, 3, 9, 1, 8, 2]
        #expect(try broker.write { $0.puts = ids.map { broker.put($0, leased: true) } } == .committed)
        let due = try db.rows("select id, due_at from job order by id")
        #expect(
            try broker.write { $0.stateChanges = ids.prefix(4).map { broker.move($0, to: .buried) } } == .committed)
        #expect(
            try broker.write { $0.stateChanges = ids.suffix(2).map { broker.move($0, to: .buried) } } == .committed)
        #expect(try db.rows("select id from job where state = 2 order by bury_order") == "(7) (3) (9) (1) (8) (2)")
        #expect(try db.rows("select id, due_at from job order by id") == due)
        #expect(try db.countsAgree())
    }

    @Test func movesAndDeletesNeedTheLease() throws {
        _ = try putSome()
        let before = try db.rows("select * from job where id >= 4 order by id")
        let outcome = try broker.write {
            $0.stateChanges = [broker.move(1, to: .buried), broker.move(4, to: .buried), broker.move(5, to: .buried)]
            $0.annotations = [
                Annotation(id: 4, reserved: (0, 1), counters: JobCounters()),
                Annotation(id: 5, reserved: (0, 1), counters: JobCounters()),
            ]
            $0.deletes = [broker.delete(2), broker.delete(4), broker.delete(5), broker.delete(6)]
        }
        let missing =
            [4, 5, 4, 5, 4, 5].map { MissingJob(id: $0, isThere: true) } + [MissingJob(id: 6, isThere: false)]
        #expect(outcome == .committedWithout(missing))
        #expect(try db.rows("select id, state from job order by id") == "(1,2) (3,0) (4,0) (5,0)")
        #expect(try db.rows("select * from job where id >= 4 order by id") == before)
    }

    /// Others have deleted jobs 1 to 3, and job 4 has lost its lease. The client is told so, and the counts are right
    /// again after the batch.
    @Test(arguments: 1...4) func missingJobsAreReportedAndCounted(_ id: JobID) throws {
        let put = (1...5).map { broker.put($0, leased: true) }
        #expect(try broker.write { $0.puts = put } == .committed)
        try db.run("delete from job where id <= 3; update job set lease_epoch = null where id = 4")
        let outcomes: [WriteOutcome] = [
            try broker.write { $0.deletes = [broker.delete(id)] },
            try broker.write {
                $0.stateChanges = [broker.move(id % 3 + 1, to: .buried), broker.move(5, to: .delayed, delay: 9)]
            },
            try broker.write { $0.stateChanges = [broker.move((id + 1) % 3 + 1, to: .ready)] },
        ]
        let asked = [id, id % 3 + 1, (id + 1) % 3 + 1]
        #expect(outcomes == asked.map { .committedWithout([MissingJob(id: $0, isThere: $0 == 4)]) })
        #expect(try db.rows("select id, state from job order by id") == "(4,0) (5,1)")
        // The counts are complete once each of the three missing jobs was asked for.
        if Set(asked).count == 3, !asked.contains(4) { try eventually("the counts agree") { try db.countsAgree() } }
    }

    @Test func annotationsTellSinceWhenAndUntilWhenAJobIsHeld() throws {
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true))
        try db.run("update job set reserved_at = now(), reserved_until = now() where id = 2")
        let outcome = try broker.write {
            $0.annotations = [
                Annotation(
                    id: 1, reserved: (since: 20_000_000, left: 40_000_000),
                    counters: JobCounters(reserves: 3, timeouts: 2)),
                Annotation(id: 2, reserved: nil, counters: JobCounters(reserves: 1)),
            ]
        }
        #expect(outcome == .committed)
        #expect(
            try db.rows(
                """
                select id, round(extract(epoch from clock_timestamp() - reserved_at) / 10),
                    round(extract(epoch from reserved_until - clock_timestamp()) / 10), reserves, timeouts, lease_epoch
                from job order by id
                """) == "(1,2,4,3,2,\(broker.epoch)) (2,,,1,0,\(broker.epoch))")
    }

    @Test func theLongestReservationCanBeAnnotated() throws {
        try broker.put(broker.put(1, leased: true))
        let left = Int64(UInt32.max) * 1_000_000
        #expect(
            try broker.write {
                $0.annotations = [Annotation(id: 1, reserved: (0, left), counters: JobCounters(reserves: .max))]
            } == .committed)
        #expect(
            try db.rows("select reserves from job where reserved_until > now() + interval '136 y'") == "(2147483647)")
    }

    @Test func takingTouchingAndEndingALeaseAreHOTUpdates() throws {
        try broker.put(broker.put(1))
        let statements: [Statement] = [.refill, .annotate, .changeStates]
        let session = try Session.open(db.configuration, statements)
        // The statistics are those of the open transaction.
        try session.run("begin; set local idle_in_transaction_session_timeout to 0")
        let (refill, parameters) = broker.refilling().statements(epoch: broker.epoch)[0]
        #expect(try session.execute(refill, parameters).count == 1)
        var batch = WriteBatch(epoch: broker.epoch)
        batch.annotations = [Annotation(id: 1, reserved: (0, 9), counters: JobCounters(reserves: 1))]
        for _ in 1...3 {
            #expect(try session.execute(.annotate, batch.annotateParameters(at: broker.client.now())).count == 0)
        }
        batch.stateChanges = [broker.move(1, to: .ready, isAsked: false)]
        #expect(try session.execute(.changeStates, batch.stateChangeParameters(at: broker.client.now())).count == 0)
        let job = "\(literal("\(identifier(db.schema)).job"))::regclass"
        let counts = Statement(name: "", sql: "select pg_stat_get_xact_tuples_hot_updated(\(job))")
        try session.prepare(counts)
        #expect(try session.execute(counts).int64(0, 0) == 5)
        try session.run("commit")
    }
}
