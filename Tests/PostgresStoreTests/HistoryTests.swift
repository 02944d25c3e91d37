import Logging
import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("History commits with the delete and is kept by the day")
struct HistoryTests {
    let broker: TestBroker
    let db: Database

    init() throws {
        broker = try TestBroker()
        db = broker.db
        try db.run("select set_policy('default', history => '7 days')")
    }

    private let second: Int64 = 1_000_000_000

    /// The end of a job that was reserved first `first` seconds ago, and last `last` seconds ago.
    private func ending(first: Int64, last: Int64, _ counters: JobCounters = JobCounters(reserves: 1)) -> Ending {
        let now = broker.client.now().nanoseconds
        return Ending(
            isFinished: true, counters: counters,
            reservations: Reservations(
                first: Instant(nanoseconds: now - first * second), last: Instant(nanoseconds: now - last * second)))
    }

    private func delete(_ id: JobID, from state: StoredState = .ready, _ ending: Ending?) -> Delete {
        var delete = broker.delete(id, from: state)
        delete.ending = ending
        return delete
    }

    // MARK: What is recorded

    @Test func aFinishedJobIsRecorded() throws {
        try broker.put(broker.put(1, priority: 9, leased: true, body: Array("secret".utf8)))
        try db.run("update job set created_at = now() - interval '60 s', releases = 2, buries = 3, kicks = 4")
        let counters = JobCounters(reserves: 5, timeouts: 1, releases: 2, buries: 3)
        #expect(try broker.write { $0.deletes = [delete(1, ending(first: 50, last: 20, counters))] } == .committed)
        #expect(
            try db.rows(
                """
                select id, tube, outcome, state, priority, ttr, reserves, timeouts, releases, buries, kicks, body,
                    waited >= '10 s' and waited < '40 s' as waited, worked >= '20 s' and worked < '50 s' as worked
                from history
                """) == "(1,default,finished,reserved,9,00:01:00,5,1,2,3,4,,t,t)")
        #expect(try db.holds("(select finished_at between now() - interval '1 minute' and now() from history)"))
        #expect(try db.number("select count(*) from job") == 0)
        #expect(try db.countsAgree())
    }

    @Test func theBodyIsRecordedIfThePolicySaysSo() throws {
        try db.run("select set_policy('default', history => '7 days', history_body => true)")
        let large = Body(repeating: 65, count: 100_000)
        try broker.put(broker.put(1, leased: true, body: [66]), broker.put(2, leased: true, body: large))
        #expect(
            try broker.write {
                $0.deletes = [delete(1, ending(first: 1, last: 1)), delete(2, ending(first: 1, last: 1))]
            } == .committed)
        #expect(
            try db.rows("select id, octet_length(body), substr(body, 1, 1) as first from history order by id")
                == #"(1,1,"\\x42") (2,100000,"\\x41")"#)
    }

    @Test func aBatchMayHaveDeletesWithAndWithoutHistory() throws {
        let other = try db.addTube("other")
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true), broker.put(3, leased: true))
        try db.run("update job set tube_id = \(other) where id = 2")
        #expect(
            try broker.write {
                $0.deletes = [
                    delete(1, ending(first: 1, last: 1)), delete(2, nil), delete(3, ending(first: 1, last: 1)),
                ]
            } == .committed)
        #expect(try db.rows("select id from history order by id") == "(1) (3)")
        #expect(try db.number("select count(*) from job") == 0)
    }

    @Test func aJobOfAPeerStaysAndIsNotRecorded() throws {
        let peer = try broker.peer()
        try peer.put(peer.put(1, leased: true))
        #expect(
            try broker.write { $0.deletes = [delete(1, ending(first: 1, last: 1))] }
                == .committedWithout([MissingJob(id: 1, isThere: true)]))
        #expect(try db.number("select count(*) from job") == 1)
        #expect(try db.rows("select id from history") == "")
    }

    /// A release, a bury and an annotation keep the times of the reservation in the job's row.
    @Test func earlierReservationsAreRecorded() throws {
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true))
        let now = broker.client.now().nanoseconds
        var move = broker.move(1, to: .buried, keepsLease: false)
        move.reservations = Reservations(
            first: Instant(nanoseconds: now - 900 * second), last: Instant(nanoseconds: now - 800 * second))
        var annotation = Annotation(id: 2, reserved: (700_000_000, 9), counters: JobCounters(reserves: 1))
        annotation.reservations = Reservations(
            first: Instant(nanoseconds: now - 700 * second), last: Instant(nanoseconds: now - 700 * second))
        #expect(
            try broker.write {
                $0.stateChanges = [move]
                $0.annotations = [annotation]
            } == .committed)
        #expect(try broker.find(.delete(1, isRecorded: true)).map(\.id) == [1])
        #expect(try broker.write { $0.deletes = [delete(2, ending(first: 50, last: 50))] } == .committed)
        #expect(
            try db.rows(
                """
                select id, outcome, state, round(extract(epoch from finished_at - first_reserved_at) / 100) as first,
                    round(extract(epoch from finished_at - last_reserved_at) / 50) as last, worked is null as idle
                from history order by id
                """) == "(1,deleted,buried,9,16,t) (2,finished,reserved,7,1,f)")
    }

    @Test func aDeleteOfAJobThatNobodyHoldsIsRecorded() throws {
        let other = try db.addTube("other")
        try broker.put(broker.put(1), broker.put(2, delay: 100), broker.put(3))
        try db.run("update job set tube_id = \(other) where id = 3")
        let deleted = try broker.ask((1...3).map { .delete($0, isRecorded: true) })
        #expect(deleted.count == 3)
        #expect(
            try db.rows("select id, outcome, state, first_reserved_at, worked from history order by id")
                == "(1,deleted,ready,,) (2,deleted,delayed,,)")
        #expect(try db.number("select count(*) from job") == 0)
    }

    /// A plan that is made while the statistics show no jobs must not walk the whole table for each delete.
    @Test func aTableThatWasAnalyzedEmptyIsNotWalked() throws {
        try db.run("analyze job")
        let session = try Session.open(db.configuration, [.archive])
        let plan = try Plan(
            of: .archive, "1, '{1,2}', '{t,t}', '{1,1}', '{0,0}', '{5,5}', '{5,5}', false", in: session)
        let lookUp = try #require(plan.shape.first { $0.contains("job_pkey") })
        #expect(plan.shape.contains { $0.hasPrefix("Limit") }, "\(plan.shape)")
        #expect(lookUp.hasPrefix("Index"), "\(plan.shape)")
    }

    // MARK: The delete and its history commit together

    @Test("invariant 7: a batch whose answer was lost is done once, with its history")
    func aLostCommit() throws {
        try broker.put(broker.put(1, leased: true))
        let locker = try db.session()
        try locker.run("begin; lock table job_history in share mode")
        broker.send { $0.deletes = [delete(1, ending(first: 1, last: 1))] }
        try db.waitUntilBlocked(broker.writing)
        try db.terminate(broker.writing)
        try locker.run("rollback")
        #expect(
            try broker.client.outcome().map(\.outcome) == [.committed], "it is repeated, since it was not committed")
        #expect(try db.rows("select id from history") == "(1)")
        #expect(try db.number("select count(*) from job") == 0)
    }

    @Test func aRefusedBatchLeavesNoHistory() throws {
        try broker.put(broker.put(1, leased: true), broker.put(2, leased: true))
        // PostgreSQL refuses the priority 1000.
        try db.run("alter table job add constraint small check (priority < 100)")
        let parts = try broker.writeParts {
            $0.stateChanges = [broker.move(2, to: .ready, priority: 1000)]
            $0.deletes = [delete(1, ending(first: 1, last: 1))]
        }
        #expect(parts.map(\.outcome).contains(.committed))
        #expect(try db.rows("select id from history") == "(1)", "the accepted half is recorded once")
        #expect(try db.rows("select id from job") == "(2)")
    }

    // MARK: Days

    private var days: String {
        get throws {
            try db.rows(
                """
                select to_date(right(relname, 8), 'YYYYMMDD') - (now() at time zone 'UTC')::date as day
                from pg_inherits join pg_class on oid = inhrelid
                where inhparent = 'job_history'::regclass and relname <> 'job_history_default' order by 1
                """)
        }
    }

    /// Adds the partition of the day that is `offset` days from today, as `keep_history` does.
    private func addDay(_ offset: Int) throws {
        try db.run(
            """
            do $$
            declare day date := (now() at time zone 'UTC')::date + \(offset);
            begin
                execute format('create table %I partition of job_history for values from (%L) to (%L)',
                    'job_history_' || to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'UTC',
                    (day + 1)::timestamp at time zone 'UTC');
            end $$
            """)
    }

    private func record(_ id: Int, daysAgo: Int) throws {
        try db.run(
            """
            insert into job_history
            select \(id), now(), null, null, now() - interval '\(daysAgo) days', 0, 1, \(broker.tube), 0, 0, 0, 0, 0, 3
            """)
    }

    @Test func todayAndTheNextThreeDaysHavePartitions() throws {
        #expect(try days == "(0) (1) (2) (3)")
        try db.run("drop table \(try dayName(2)); select keep_history()")
        #expect(try days == "(0) (1) (2) (3)")
    }

    private func dayName(_ offset: Int) throws -> String {
        try db.value("select 'job_history_' || to_char((now() at time zone 'UTC')::date + \(offset), 'YYYYMMDD')")
    }

    @Test func daysThatNoTubeKeepsAreDropped() throws {
        for day in [-1, -6, -7, -8, -30] { try addDay(day) }
        try db.run("select keep_history()")
        #expect(try days == "(-7) (-6) (-1) (0) (1) (2) (3)", "a part of the seventh day is still kept")
        try db.run("select set_policy('long', history => '10 years')")
        try addDay(-3000)
        try db.run("select keep_history()")
        #expect(try days.hasPrefix("(-3000) (-7)"))
        try db.run("select set_policy('long'); select set_policy('default'); select keep_history()")
        #expect(try days == "(-1) (0) (1) (2) (3)")
    }

    @Test func theViewShowsNoMoreThanATubeKeeps() throws {
        try db.run("select set_policy('long', history => '100 days')")
        try record(1, daysAgo: 6)
        try record(2, daysAgo: 8)
        #expect(try db.rows("select id from history") == "(1)")
        try db.run("select set_policy('default')")
        #expect(try db.rows("select id from history") == "")
    }

    @Test func aRowWithoutAPartitionIsCaughtAndMoved() throws {
        try db.run("drop table \(try dayName(0))")
        try broker.put(broker.put(1, leased: true))
        #expect(try broker.write { $0.deletes = [delete(1, ending(first: 1, last: 1))] } == .committed)
        #expect(try db.number("select count(*) from job_history_default") == 1)
        try db.run("select keep_history()")
        #expect(try db.number("select count(*) from job_history_default") == 0)
        #expect(try db.number("select count(*) from \(try dayName(0))") == 1)
        #expect(try db.rows("select id from history") == "(1)")
        // No tube keeps a row as old as this, so it gets no partition.
        try record(2, daysAgo: 300)
        try db.run("select keep_history()")
        #expect(try db.number("select count(*) from job_history_default") == 0)
    }

    /// A delete that did not wait would put its row into the default partition, which refuses rows of a day that has a
    /// partition.
    @Test func aDeleteWaitsWhileThePartitionOfItsDayIsMade() throws {
        try db.run("drop table \(try dayName(0))")
        try broker.put(broker.put(1, leased: true))
        let other = try db.session()
        try other.run("begin; select keep_history()")
        broker.send { $0.deletes = [delete(1, ending(first: 1, last: 1))] }
        try db.waitUntilBlocked(broker.writing)
        try other.run("commit")
        #expect(try broker.client.outcome().map(\.outcome) == [.committed])
        #expect(try db.number("select count(*) from \(try dayName(0))") == 1)
    }

    /// `keep_history` does not wait for a long query, so nobody waits behind `keep_history`.
    @Test func keepHistoryGivesWayToALongQuery() throws {
        try addDay(-30)
        try db.run("drop table \(try dayName(3))")
        let reader = try db.session()
        try reader.run("begin; select count(*) from history")
        try db.run("select keep_history()")
        #expect(try days == "(-30) (0) (1) (2)")
        try reader.run("commit")
        try db.run("select keep_history()")
        #expect(try days == "(0) (1) (2) (3)")
    }

    @Test func theKeeperMakesAMissingPartition() throws {
        try db.run("drop table \(try dayName(1))")
        let keeper = try TestKeeper(db.configuration)
        // If the keeper fails at first, it tries again after a minute.
        try eventually("the day has its partition", within: 60 + patience) { try days == "(0) (1) (2) (3)" }
        _ = keeper
    }

    @Test func aFailureThatLastsIsLoggedOnceAndSoIsItsEnd() throws {
        let lines = LineLog()
        var watch = PartitionMaintenance(
            .keepHistory, "the days of history", Logger(label: "test") { _ in lines })
        let keeping = try Session.open(db.configuration, Statement.keeper)
        try db.run("alter function keep_history() rename to kept")
        for minute: Int64 in 1...3 { try watch.look(keeping, at: Instant(nanoseconds: minute * 60 * second)) }
        #expect(lines.take() == ["warning the days of history could not be looked after"])
        try db.run("alter function kept() rename to keep_history")
        for minute: Int64 in 4...6 { try watch.look(keeping, at: Instant(nanoseconds: minute * 60 * second)) }
        #expect(lines.take() == ["notice the days of history are looked after again"])
    }

    @Test func everyColumnOfTheViewHasAComment() throws {
        let unexplained = try db.rows(
            """
            select attname from pg_attribute
            where attrelid = 'history'::regclass and attnum > 0 and col_description(attrelid, attnum) is null
            """)
        #expect(unexplained == "")
    }

    // MARK: Queries

    /// Fills two hours of yesterday. In the first, 100 jobs waited 1 to 100 s and were worked on for twice as long;
    /// every tenth needed a second try. In the second, one job was deleted.
    private func fillYesterday() throws {
        try db.run(
            """
            insert into job_history
            select
                n, start, start + n * interval '1 s', start + n * interval '1 s', start + n * interval '3 s', 0, 600,
                \(broker.tube), case when n % 10 = 0 then 2 else 1 end, case when n % 20 = 0 then 1 else 0 end,
                case when n % 20 = 10 then 1 else 0 end, 0, 0, 3
            from generate_series(1, 100) as n,
                (select date_trunc('day', now(), 'UTC') - interval '20 h' as start) as yesterday
            union all
            select 101, start, null, null, start + interval '1 h', 0, 600, \(broker.tube), 0, 0, 0, 0, 0, 2
            from (select date_trunc('day', now(), 'UTC') - interval '20 h' as start) as yesterday
            """)
    }

    @Test func historyGivesTheThroughputByTubeAndHour() throws {
        try fillYesterday()
        let found = try db.rows(
            """
            select tube, finished, deleted from (
                select
                    tube,
                    date_trunc('hour', finished_at) as hour,
                    count(*) filter (where outcome = 'finished') as finished,
                    count(*) filter (where outcome = 'deleted') as deleted
                from history
                where finished_at >= now() - interval '2 days'
                group by tube, hour
                order by tube, hour
            ) as result
            """)
        #expect(found == "(default,100,0) (default,0,1)")
    }

    @Test func historyGivesPercentilesOfWaitingAndWorking() throws {
        try fillYesterday()
        let found = try db.rows(
            """
            select
                tube,
                count(*) as finished,
                percentile_cont(array[0.5, 0.95, 0.99]) within group (order by waited) as waited,
                percentile_cont(array[0.5, 0.95, 0.99]) within group (order by worked) as worked
            from history
            where finished_at >= now() - interval '2 days' and outcome = 'finished'
            group by tube
            order by tube
            """)
        #expect(
            found
                == "(default,100,\"{00:00:50.5,00:01:35.05,00:01:39.01}\",\"{00:01:41,00:03:10.1,00:03:18.02}\")")
    }

    @Test func historyShowsJobsThatNeededMoreThanOneTry() throws {
        try fillYesterday()
        let found = try db.rows(
            """
            select
                tube,
                count(*) filter (where reserves > 1) as retried,
                round(100.0 * count(*) filter (where reserves > 1) / count(*), 1) as percent,
                sum(timeouts) as timeouts,
                sum(releases) as releases
            from history
            where finished_at >= now() - interval '2 days' and outcome = 'finished'
            group by tube
            order by retried desc
            """)
        #expect(found == "(default,10,10.0,5,5)")
    }
}
