import TestKit
import Testing

@testable import PostgresStore
@testable import QueueCore

private let mail = TubeName(unchecked: "mail")

@Suite("Charts show what samples have")
struct SampleReaderTests {
    let db: Database
    let session: PostgresStore.Connection
    let reader: SampleReader

    init() throws {
        db = try Database()
        session = try Session.open(db.configuration, Statement.samples)
        reader = SampleReader(connection: session)
    }

    /// The beginning of the step `back` steps ago. A step that ends meanwhile moves a row by one place.
    private func step(_ back: Int, _ length: String = "10 s") -> String {
        "date_bin('\(length)', now(), 'epoch') - \(back) * interval '\(length)'"
    }

    private func add(
        _ tube: String, _ back: Int, puts: Int = 0, deletes: Int = 0, ready: Int? = nil, oldest: Int? = nil,
        waited: String? = nil, to table: String = "tube_sample"
    ) throws {
        let length = table == "tube_sample" ? "10 s" : "5 minutes"
        try db.run(
            """
            insert into \(table) (at, tube, puts, deletes, urgent, ready, reserved, delayed, buried, oldest_ready_at, waited)
            select \(step(back, length)), '\(tube)', \(puts), \(deletes), \(ready.map { "0, \($0), 0, 0, 0" } ?? "null, null, null, null, null"),
                \(oldest.map { "\(step(back, length)) - \($0) * interval '1 s'" } ?? "null"), \(waited.map { "'\($0)'" } ?? "null")
            """)
    }

    /// The queue was there in these steps.
    private func queueWasThere(_ steps: ClosedRange<Int>, in table: String = "tube_sample") throws {
        for back in steps { try add("", back, puts: 1, ready: 5, to: table) }
    }

    @Test func aTubeThatChangesNowAndThen() throws {
        try queueWasThere(1...30)
        try add("mail", 40, ready: 2, oldest: 100)
        try add("mail", 20, puts: 3, deletes: 1, ready: 4, oldest: 200, waited: "{0,0,0,0,2}")
        try add("mail", 10, puts: 7)
        let series = try reader.series(of: mail, .tenMinutes)
        #expect(series.step == 10)
        #expect(series.points.count == 60)
        let known = series.points.compactMap(\.self)
        #expect(known.count == 30)
        #expect(series.points[..<29].allSatisfy { $0 == nil }, "nothing is known of the time before")
        #expect(known.map(\.puts).filter { $0 > 0 } == [3, 7])
        #expect(known[0].jobs.ready == 2, "as it was before")
        #expect(known.last?.jobs.ready == 4)
        let change = try #require(known.first { $0.puts == 3 })
        #expect(change.jobs.ready == 4)
        #expect(change.oldestReadySeconds == 210, "at the end of the step")
        #expect(known.first { $0.puts == 7 }?.oldestReadySeconds == 310, "it grows")
        #expect(change.waited.percentile(0.5) == 0.025)
    }

    @Test func theWholeQueue() throws {
        try queueWasThere(1...3)
        try add("mail", 2, puts: 9, ready: 4)
        let known = try reader.series(of: nil, .tenMinutes).points.compactMap(\.self)
        #expect(known.map(\.puts) == [1, 1, 1])
        #expect(known.map(\.jobs.ready) == [5, 5, 5])
    }

    /// Its samples are too old, and nothing has happened since.
    @Test func aTubeThatHasNotChangedForLong() throws {
        try queueWasThere(1...3)
        try db.run("insert into tube_level values ('mail', 0, 8, 0, 0, 0, now() - interval '20 days')")
        #expect(try reader.series(of: mail, .tenMinutes).points.last??.jobs.ready == 8)
        try add("mail", 1, puts: 1, ready: 9)
        let known = try reader.series(of: mail, .tenMinutes).points.compactMap(\.self)
        #expect(known.map(\.jobs.ready) == [0, 0, 9], "what is told now was not so before")
    }

    @Test func aDayAndAMonth() throws {
        try queueWasThere(1...40, in: "tube_sample_5min")
        for back in 1...36 { try add("mail", back, puts: 1, ready: back, waited: "{1}", to: "tube_sample_5min") }
        let day = try reader.series(of: mail, .day)
        #expect(day.step == 300)
        #expect(day.points.count == 288)
        #expect(day.points.compactMap(\.self).map(\.puts).reduce(0, +) == 36)
        let month = try reader.series(of: mail, .month)
        #expect(month.step == 3600)
        #expect(month.points.count == 720)
        #expect(month.points.compactMap(\.self).map(\.puts).reduce(0, +) == 36)
        #expect(month.start % 3600 == 0)
        #expect(month.points.compactMap(\.self).last?.jobs.ready == 1, "as at the end of the hour")
        #expect(month.points.compactMap(\.self).contains { $0.waited.count == 12 })
    }

    @Test func aReportByTheHour() throws {
        for back in 1...24 { try add("mail", back, puts: 2, deletes: 1, waited: "{0,1}", to: "tube_sample_5min") }
        let report = try reader.report(of: mail, hours: 5)
        #expect(report.count == 5)
        #expect(report.map(\.sum.puts).reduce(0, +) == 48)
        #expect(report.allSatisfy { $0.start % 3600 == 0 })
        #expect(report.map(\.sum.waited.count).reduce(0, +) == 24)
        #expect(try reader.report(of: TubeName(unchecked: "other"), hours: 2).map(\.sum.puts) == [0, 0])
    }

    @Test func sparklinesOfSomeTubes() throws {
        try add("a", 1, puts: 5, deletes: 2)
        try add("a", 60, puts: 7)
        try add("b", 3, puts: 1)
        try add("c", 3, puts: 1)
        let (a, b) = (TubeName(unchecked: "a"), TubeName(unchecked: "b"))
        let lines = try reader.sparklines(of: [a, b, TubeName(unchecked: "none")])
        #expect(Set(lines.keys) == [a, b])
        #expect(lines[a]?.puts.count == 60)
        #expect(lines[a]?.puts.contains(5) == true)
        #expect(lines[a]?.deletes.reduce(0, +) == 2)
        #expect(lines[b]?.puts.reduce(0, +) == 1)
    }

    @Test func lengthsOfTheLastTenMinutes() throws {
        try add("mail", 1, waited: "{1,2}")
        try add("mail", 2, waited: "{0,0,4}")
        try add("mail", 100, waited: "{100}")
        let found = try reader.lengths(of: mail)
        #expect(found.waited.counts.prefix(4) == [1, 2, 4, 0])
        #expect(found.worked.count == 0)
    }

    // MARK: Sums of five minutes

    private func rollUp() throws {
        let keeper = try Session.open(db.configuration, Statement.keeper)
        var rollUp = SampleRollUp()
        while try rollUp.look(keeper) {}
    }

    private let half = "date_bin('5 minutes', now() - interval '21 minutes', 'epoch')"

    @Test func fiveMinutesBecomeOneRow() throws {
        try db.run(
            """
            insert into tube_sample (at, tube, puts, urgent, ready, reserved, delayed, buried, waited)
            select \(half) + n * interval '10 s', tube, 2, 0, n, 0, 0, 0, case n % 2 when 0 then '{1}' else '{0,1}' end::integer[]
            from generate_series(0, 29) as n, unnest('{mail,""}'::text[]) as tube;
            insert into tube_sample (at, tube, puts) select \(half) + interval '5 minutes', 'mail', 100;
            insert into tube_sample (at, tube, puts) select \(half) + interval '10 s', 'quiet', 100
            """)
        for _ in 1...2 { try rollUp() }
        #expect(
            try db.rows("select tube, puts, ready, waited, worked from tube_sample_5min order by tube")
                == "(\"\",60,29,\"{15,15}\",) (mail,60,29,\"{15,15}\",) (quiet,100,,,)")
        #expect(try db.holds("(select bool_and(at = \(half)) from tube_sample_5min)"))
    }

    @Test func afterAGapItGoesOn() throws {
        try db.run(
            """
            insert into tube_sample (at, tube, puts, urgent, ready, reserved, delayed, buried)
            select \(half) - hours * interval '1 h', '', 1, 0, 1, 0, 0, 0 from unnest('{0,9,30}'::integer[]) as hours;
            insert into tube_sample (at, tube, urgent, ready, reserved, delayed, buried)
            select now(), '', 0, 1, 0, 0, 0
            """)
        try rollUp()
        #expect(
            try db.rows("select round(extract(epoch from \(half) - at) / 3600) from tube_sample_5min order by at desc")
                == "(0) (9) (30)", "what is not over yet is not added up")
    }

    // MARK: Plans

    /// A day with many tubes costs no more than one with few.
    @Test func aChartReadsItsOwnRows() throws {
        try db.run(
            """
            insert into tube_sample (at, tube, puts, urgent, ready, reserved, delayed, buried)
            select date_bin('10 s', now(), 'epoch') - n * interval '10 s', 'tube ' || tube, 1, 0, 1, 0, 0, 0
            from generate_series(0, 99) as n, generate_series(1, 300) as tube;
            insert into tube_sample (at, tube, puts, urgent, ready, reserved, delayed, buried)
            select date_bin('10 s', now(), 'epoch') - n * interval '10 s', '', 1, 0, 1, 0, 0, 0
            from generate_series(0, 99) as n;
            analyze tube_sample
            """)
        for (statement, arguments, limit) in [
            (Statement.samplesOf10s, "'tube 7', 600", 400), (.knownSteps10s, "620", 150),
            (.sparklines, "'{tube 1,tube 2,tube 3}', 600", 1000),
            (.levelBefore, "'tube 7', (extract(epoch from now()) * 1e6)::bigint - 500000000", 40),
        ] {
            let plan = try Plan(of: statement, arguments, in: session)
            #expect(
                !plan.shape.contains { $0.hasPrefix("Seq Scan") && $0.contains("tube_sample_2") },
                "\(statement.name): \(plan.shape)")
            #expect(plan.blocks < limit, "\(statement.name): \(plan.blocks) blocks, \(plan.shape)")
        }
    }

    /// A month's partition is not looked at for ten minutes.
    @Test func otherDaysAreNotLookedAt() throws {
        try db.run(
            """
            create table old_day (like tube_sample including all);
            insert into old_day (at, tube) select timestamptz '2020-01-01 UTC' + n * interval '10 s', 'mail'
            from generate_series(0, 5000) as n;
            alter table tube_sample attach partition old_day for values from ('2020-01-01 UTC') to ('2020-01-02 UTC')
            """)
        let plan = try Plan(of: .samplesOf10s, "'mail', 600", in: session)
        #expect(!plan.shape.contains { $0.contains("old_day") && !$0.contains("never") } || plan.blocks < 400)
    }
}
