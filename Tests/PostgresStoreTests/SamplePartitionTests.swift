import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

@Suite("Samples are kept by the day and by the month")
struct SamplePartitionTests {
    let db: Database

    init() throws { db = try Database() }

    /// The partitions of a table, but for the default one.
    private func partitions(_ table: String) throws -> String {
        try db.rows(
            """
            select right(relname, length(relname) - \(table.utf8.count + 1)) as name from pg_inherits
            join pg_class on pg_class.oid = inhrelid
            where inhparent = '\(table)'::regclass and relname not like '%default'
            order by relname
            """)
    }

    private func today(_ format: String, plus: String = "0 days") throws -> String {
        try db.value("select to_char((now() at time zone 'UTC') + interval '\(plus)', '\(format)')")
    }

    private func add(_ at: String, to table: String = "tube_sample") throws {
        try db.run("insert into \(table) (at, tube) values (\(at), 'mail')")
    }

    @Test func todayAndTomorrowAreThere() throws {
        let (day, next) = (try today("YYYYMMDD"), try today("YYYYMMDD", plus: "1 day"))
        #expect(try partitions("tube_sample") == "(\(day)) (\(next))")
        let (month, following) = try (
            today("YYYYMM"),
            db.value("select to_char(date_trunc('month', now() at time zone 'UTC') + interval '1 month', 'YYYYMM')")
        )
        #expect(try partitions("tube_sample_5min") == "(\(month)) (\(following))")
    }

    @Test func whatIsTooOldGoes() throws {
        for back in [6, 7, 8, 9] {
            try db.run(
                """
                do $$ begin
                    execute format(
                        'create table %I partition of tube_sample for values from (%L) to (%L)',
                        'tube_sample_' || to_char((now() at time zone 'UTC')::date - \(back), 'YYYYMMDD'),
                        to_char((now() at time zone 'UTC')::date - \(back), 'YYYY-MM-DD 00:00:00+00'),
                        to_char((now() at time zone 'UTC')::date - \(back) + 1, 'YYYY-MM-DD 00:00:00+00'));
                end $$
                """)
        }
        try db.run(
            """
            create table tube_sample_5min_201901 partition of tube_sample_5min
            for values from ('2019-01-01 00:00:00+00') to ('2019-02-01 00:00:00+00');
            create table tube_sample_of_mine (at integer);
            select keep_samples()
            """)
        let days = try [-7, -6, 0, 1].map { "(\(try today("YYYYMMDD", plus: "\($0) days")))" }
        #expect(try partitions("tube_sample") == days.joined(separator: " "))
        #expect(try !partitions("tube_sample_5min").contains("201901"))
        #expect(try db.holds("to_regclass('tube_sample_of_mine') is not null"))
    }

    @Test func aDayWithoutItsPartitionIsTakenAndMoved() throws {
        let day = "tube_sample_\(try today("YYYYMMDD"))"
        try db.run("drop table \(day)")
        try add("now()")
        try add("now() - interval '2 days'")
        #expect(try db.number("select count(*) from tube_sample_default") == 2)
        try db.run("select keep_samples()")
        #expect(try db.number("select count(*) from \(day)") == 1)
        #expect(try db.number("select count(*) from tube_sample_default") == 1)
        try db.run("update tube_sample set at = now() - interval '8 days' where at < now() - interval '1 day'")
        try db.run("select keep_samples()")
        #expect(try db.number("select count(*) from tube_sample_default") == 0)
    }

    /// The clock was far ahead for a moment.
    @Test func samplesOfTheFutureAreNoHarm() throws {
        for table in ["tube_sample", "tube_sample_5min"] { try add("now() + interval '3 years'", to: table) }
        try db.run("select keep_samples()")
        let client = FakeClient()
        client.did(in: "mail") { $0.puts = 4 }
        let keeper = try Session.open(db.configuration, Statement.keeper)
        var sampler = Sampler(client, OldestReady(), .quiet)
        repeat { try sampler.look(keeper, hasDuty: true, isAlone: true) } while sampler.next <= client.now()
        let session = try Session.open(db.configuration, Statement.samples)
        let series = try SampleReader(connection: session).series(of: TubeName(unchecked: "mail"), .tenMinutes)
        #expect(series.points.compactMap { $0?.puts } == [4])
    }

    @Test func aTubeThatIsRemovedKeepsItsSamples() throws {
        let tube = try db.addTube("mail")
        try add("now()")
        try db.run("delete from tube where id = \(tube)")
        #expect(try db.number("select count(*) from tube_sample where tube = 'mail'") == 1)
    }

    @Test func nobodyIsWaitedFor() throws {
        let locker = try db.session()
        try db.run("drop table tube_sample_\(try today("YYYYMMDD", plus: "1 day"))")
        try locker.run("begin; lock table tube_sample_default in share mode")
        try db.run("select keep_samples()")
        let before = try partitions("tube_sample")
        try locker.run("commit")
        try db.run("select keep_samples()")
        #expect(try partitions("tube_sample") != before)
    }

    @Test func everyColumnIsExplained() throws {
        let unexplained = try db.rows(
            """
            select attrelid::regclass, attname from pg_attribute
            where attrelid = any ('{tube_sample,tube_sample_5min,tube_level}'::regclass[]) and attnum > 0
                and col_description(attrelid, attnum) is null
            """)
        #expect(unexplained == "")
    }
}
