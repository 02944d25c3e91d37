import Testing

@testable import LoadGenerator

@Suite struct ReportTests {
    /// A run of 100 jobs, with its seconds to put and to work off the jobs.
    private func run(_ put: Double, _ done: Double?, cpu: Double? = nil) -> RunResult {
        var run = RunResult(jobs: 100, putSeconds: put, doneSeconds: done, seconds: done ?? put)
        run.latencies = [("put", LatencySummary(p50: put, p90: 2, p99: 3, p999: 4, max: 5, mean: 1.5, count: 100))]
        if let cpu { run.cpu = [("broker", cpu)] }
        return run
    }

    private func report(_ servers: [RunResult]...) -> Report {
        Report(
            load: Load(),
            servers: servers.enumerated().map { .init(address: "127.0.0.1:\($0 + 1)", version: "v\($0)", runs: $1) })
    }

    @Test func percentiles() throws {
        var values = LatencyHistogram()
        #expect(values.summary == nil)
        for millisecond in 1...1000 { values.record(Nanoseconds(millisecond) * 1_000_000) }
        let summary = try #require(values.summary)
        for (value, expected) in [
            (summary.p50, 500.0), (summary.p90, 900), (summary.p99, 990), (summary.p999, 999), (summary.max, 1000),
            (summary.mean, 500.5),
        ] {
            #expect(abs(value - expected) <= expected / 1000)
        }
        #expect(summary.count == 1000)
    }

    @Test func medians() {
        #expect(median([]) == nil)
        #expect(median([3]) == 3)
        #expect(median([9, 1, 3]) == 3)
        #expect(median([9, 1, 3, 5]) == 4)
    }

    @Test func aRatioIsTheMedianOfPairedRounds() {
        // The first server is 2, 1 and 10 times as fast. The machine was slow in the last round.
        let report = report([run(1, 1), run(1, 1), run(4, 4)], [run(2, 2), run(1, 1), run(40, 40)])
        #expect(report.ratio(Report.rates[0]) == 2)
        #expect(report.median(Report.rates[0], of: report.servers[0]) == 100)
        #expect(report.median(Report.rates[0], of: report.servers[1]) == 50)
    }

    @Test func json() {
        #expect(
            report([run(2, nil, cpu: 12.5)]).json == """
                {"version":1,"load":{"producers":16,"workers":16,"depth":1,"jobs":100000,"body":200,"tubes":1,\
                "mode":"live","rate":null,"idle":0},"servers":[{"address":"127.0.0.1:1","version":"v0","runs":[\
                {"put_seconds":2.0,"puts_per_second":50.0,"done_seconds":null,"done_per_second":null,"seconds":2.0,\
                "latency_ms":{"put":{"p50":2.0,"p90":2.0,"p99":3.0,"p999":4.0,"max":5.0,"mean":1.5,"count":100}},\
                "cpu_us_per_job":{"broker":12.5}}],"median":{"puts_per_second":50.0,"done_per_second":null,\
                "put_p50_ms":2.0,"put_p99_ms":3.0}}],"ratios":null}
                """)
        let ratios = report([run(1, 2)], [run(2, 8)]).json.split(separator: "\"ratios\":").last
        #expect(ratios == #"{"puts_per_second":2.0,"done_per_second":4.0}}"#)
        #expect(JSON.string("a\"\\\n").text == #""a\"\\\u000a""#)
    }

    @Test func table() {
        #expect(
            report([run(0.01, 1, cpu: 7)], [run(0.02, 2)]).table == """
                live, 16 producers, 16 workers, 100,000 jobs of 200 bytes

                                   127.0.0.1:1  127.0.0.1:2  ratio
                                            v0           v1
                puts/s                  10,000        5,000   2.00
                done/s                     100           50   2.00
                put p50 ms               0.010        0.020   0.50
                put p99 ms               3.000        3.000   1.00
                broker CPU us/job          7.0            -      -
                """)
    }

    @Test func numbers() {
        #expect(
            [0, 7, 999, 1000, 34_120, 1_234_567, -1234].map { grouped($0) }.joined(separator: " ")
                == "0 7 999 1,000 34,120 1,234,567 -1,234")
        #expect(
            [fixed(1.005, 1), fixed(0.0004, 3), fixed(-0.25, 1), fixed(12, 0), plain(0.5), plain(60)]
                == ["1.0", "0.000", "-0.3", "12", "0.5", "60"])
    }

    @Test func phasesHaveTimesOfTheirOwn() throws {
        let state = begunState(jobs: 1) { $0.mode = .phase }
        _ = state.nextPut(at: 1_000_000_000)
        try state.inserted(0, id: 1, putAt: 1_000_000_000, at: 3_000_000_000)
        try state.ledger.deliver(0, id: 1)
        state.deleted(0, askedAt: 4_000_000_000, at: 8_000_000_000)
        let cpu = [("broker", 0.5)]
        var result = RunResult(state, start: 0, workStart: 4_000_000_000, end: 9_000_000_000, cpu: cpu)
        #expect((result.putSeconds, result.doneSeconds, result.seconds) == (2, 4, 7))
        #expect(result.cpu.first?.microseconds == 500_000)
        let live = begunState(jobs: 1)
        _ = live.nextPut(at: 1_000_000_000)
        live.deleted(0, askedAt: 4_000_000_000, at: 8_000_000_000)
        result = RunResult(live, start: 0, workStart: 4_000_000_000, end: 9_000_000_000, cpu: cpu)
        #expect((result.putSeconds, result.doneSeconds, result.seconds) == (nil, 7, 7))
    }
}
