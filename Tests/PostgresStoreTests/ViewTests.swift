import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

/// Invariant 6: the database tells the truth.
@Suite("The views say what a client of the protocol would be told")
struct ViewTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
        try broker.put(
            broker.put(1, priority: 3, body: Body("one".utf8)), broker.put(2, delay: 100), broker.put(3, leased: true),
            broker.put(4, leased: true))
        _ = try broker.write {
            $0.stateChanges = [broker.move(3, to: .buried, counters: JobCounters(reserves: 1, buries: 1))]
        }
    }

    private var states: String { get throws { try db.rows("select id, state, broker from jobs order by id") } }

    private func reserve(_ id: JobID) throws {
        _ = try broker.write {
            $0.annotations = [Annotation(id: id, reserved: (1_000_000, 59_000_000), counters: JobCounters(reserves: 1))]
        }
    }

    @Test func theViewShowsEveryColumnOfAJob() throws {
        #expect(
            try db.rows(
                """
                select id, tube, state, priority, convert_from(body, 'UTF8'), ready_at = created_at, reserved_at,
                    reserved_until, ttr, delay, reserves, timeouts, releases, buries, kicks, broker
                from jobs where id = 1
                """) == "(1,default,ready,3,one,t,,,00:01:00,00:00:00,0,0,0,0,0,)")
        #expect(
            try db.rows("select state, ready_at - created_at, delay from jobs where id = 2")
                == "(delayed,00:01:40,00:01:40)")
    }

    @Test func aLeaseAloneIsNoReservation() throws {
        #expect(try states == "(1,ready,) (2,delayed,) (3,buried,) (4,ready,)")
    }

    @Test func aJobIsReservedOnlyWhileItsBrokerIsAlive() throws {
        try reserve(4)
        let epoch = broker.epoch
        #expect(try states == "(1,ready,) (2,delayed,) (3,buried,) (4,reserved,\(epoch))")
        #expect(
            try db.holds("(select reserved_until - reserved_at between '59.9 s' and '60.1 s' from jobs where id = 4)"))
        try db.run("update broker set heartbeat_at = now() - interval '6 s'")
        #expect(try states == "(1,ready,) (2,delayed,) (3,buried,) (4,ready,)")
        #expect(try db.rows("select epoch, alive from brokers") == "(\(epoch),f)")
        try db.run("update broker set heartbeat_at = now() + interval '1 h'")
        #expect(try states == "(1,ready,) (2,delayed,) (3,buried,) (4,reserved,\(epoch))")
        try broker.die()
        #expect(try states == "(1,ready,) (2,delayed,) (3,buried,) (4,ready,)")
        #expect(try db.rows("select reserved_at, reserved_until from jobs where id = 4") == "(,)")
    }

    @Test func aJobInAnyStoredStateCanBeReserved() throws {
        for id: JobID in [1, 2, 3, 4] {
            _ = try broker.ask(.reserve(id))
            try reserve(id)
        }
        #expect(try db.rows("select distinct state from jobs") == "(reserved)")
    }

    private var tubes: String {
        get throws { try db.rows("select name, ready, delayed, reserved, buried from tubes order by name") }
    }

    @Test func tubesCountTheirJobsByState() throws {
        _ = try db.addTube("empty")
        #expect(try tubes == "(default,2,1,0,1) (empty,0,0,0,0)")
        try db.run("insert into tube_held values (\(broker.epoch), \(broker.tube), 1, 1, 0, 1)")
        #expect(try tubes == "(default,1,1,2,0) (empty,0,0,0,0)")
        // What a silent broker held does not count as held.
        try db.run("update broker set heartbeat_at = now() - interval '6 s'")
        #expect(try tubes == "(default,2,1,0,1) (empty,0,0,0,0)")
    }

    @Test func tubesShowTheirOldestReadyJobAndTheirPause() throws {
        try db.run(
            "update job set due_at = '2020-02-02' where id = 4; update job set due_at = '2010-01-01' where id = 2")
        #expect(try db.rows("select oldest_ready_at::date, paused_until from tubes") == "(2020-02-02,)")
        _ = try broker.ask(.pause(.default, seconds: 60))
        #expect(try db.holds("(select paused_until > now() from tubes)"))
        try db.run("update tube set paused_until = now() - interval '1 s'")
        #expect(try db.holds("(select paused_until is null from tubes)"))
    }

    @Test func aFoldDoesNotChangeCounts() throws {
        let before = try tubes
        let session = try Session.open(db.configuration, Statement.keeper)
        var parameters = Parameters()
        parameters.add(broker.epoch)
        parameters.add(Int16(0))
        parameters.add(Int64(0))
        parameters.add(Int64(2))
        _ = try session.execute(.fold, parameters)
        #expect(try db.rows("select batch from ledger") == "(2)")
        #expect(try tubes == before)
        #expect(try db.countsAgree())
    }

    // MARK: Cost

    private func plan(_ query: String) throws -> String {
        let rows = try db.connection.ask(Statement(name: "", sql: "explain (costs off) \(query)"))
        return (0..<rows.count).map { rows.string($0, 0) }.joined(separator: "\n")
    }

    /// Only `oldest_ready_at` reads jobs.
    @Test func theCountsOfTubesReadNoJobs() throws {
        #expect(try !plan("select name, ready, delayed, reserved, buried, paused_until from tubes").contains("on job"))
        #expect(try !plan("select sum(ready) from tubes where name <> 'default'").contains("on job"))
        let oldest = try plan("select oldest_ready_at from tubes where name = 'default'")
        #expect(oldest.contains("job_ready") || oldest.contains("on job"))
    }

    @Test func theOldestReadyJobIsNotAReservedOne() throws {
        try db.run(
            "update job set due_at = '2001-01-01' where id = 4; update job set due_at = '2002-02-02' where id = 1")
        try reserve(4)
        #expect(try db.rows("select oldest_ready_at::date from tubes") == "(2002-02-02)")
        #expect(try db.rows("select id from reserve('{default}')") == "(1)")
        #expect(try db.rows("select oldest_ready_at from tubes") == "()")
    }

    /// A put into a tube with a limit reads the counts of that tube.
    @Test func aLimitReadsNoJobs() throws {
        try db.run("select set_policy('default', max_ready => 100), setval('job_id', 100)")
        let scans = """
            select relname, seq_scan, idx_scan from pg_stat_xact_user_tables
            where relid in ('job'::regclass, 'ledger'::regclass) order by 1
            """
        try db.run("begin")
        let before = try db.rows(scans)
        try db.run("select put('default', 'x'), put('default', 'y')")
        #expect(try db.rows(scans) == before)
        try db.run("commit")
    }

    @Test func aLimitCountsWhatIsFoldedAndWhatIsNot() throws {
        // Two jobs are ready, and their batch is not folded. A living broker folds it.
        try db.run("select set_policy('default', max_ready => 3), setval('job_id', 100)")
        try db.run("insert into tube_count values (\(broker.tube), 0, 5, 0, 0)")
        func put() throws -> String {
            do { return try db.value("select put('default', 'x') > 0") } catch {
                return (error as? StoreError)?.sqlState ?? ""
            }
        }
        #expect(try put() == "BR009")
        try db.run("insert into tube_held values (\(broker.epoch), \(broker.tube), 0, 3, 0, 0)")
        #expect(try put() == "true", "two ready jobs are left")
        #expect(try put() == "BR009", "a put by SQL counts at once")
        try broker.die()
        try db.run("delete from tube_held; update tube_count set ready = 0; delete from sql_change")
        #expect(try put() == "true", "the dead broker's ledger has two jobs, so one more is allowed")
        #expect(try put() == "BR009")
    }
}
