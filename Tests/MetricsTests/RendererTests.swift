import QueueCore
import Testing

@testable import MetricsExposition

/// The text format alone.
@Suite("Metrics: the text format") struct RendererTests {
    private func text(_ facts: MetricsFacts, _ metrics: Metrics = Metrics()) -> String {
        String(decoding: metrics.render(facts), as: UTF8.self)
    }

    private func facts(_ tubes: TubeSnapshot...) -> MetricsFacts {
        var facts = MetricsFacts()
        facts.queue.tubes = tubes
        facts.tellsForAll = true
        return facts
    }

    @Test func aFamilyHasHelpTypeAndSamples() {
        var tube = TubeSnapshot(name: TubeName("mail")!)
        tube.jobs = JobCounts(urgent: 1, ready: 2, reserved: 3, delayed: 4, buried: 5)
        #expect(
            text(facts(tube)).contains(
                """
                # HELP beanrow_tube_jobs Jobs of a tube by state.
                # TYPE beanrow_tube_jobs gauge
                beanrow_tube_jobs{tube="mail",state="ready"} 2
                beanrow_tube_jobs{tube="mail",state="reserved"} 3
                beanrow_tube_jobs{tube="mail",state="delayed"} 4
                beanrow_tube_jobs{tube="mail",state="buried"} 5

                """))
    }

    @Test func aFamilyWithoutSamplesIsLeftOut() {
        let text = text(facts(TubeSnapshot(name: .default)))
        #expect(!text.contains("beanrow_tube_max_ready"))
        #expect(!text.contains("beanrow_tube_wait_seconds"))
        #expect(!text.contains("beanrow_tube_puts_total"))
        #expect(!text.contains("beanrow_job_table_bytes"))
        #expect(text.contains("beanrow_tube_jobs{tube=\"default\",state=\"ready\"} 0\n"))
    }

    @Test func bucketsAreCumulative() throws {
        var tube = TubeSnapshot(name: TubeName("mail")!)
        var counts = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
        (counts[0], counts[2], counts[counts.count - 1]) = (3, 2, 1)
        tube.activity.waited.counts = counts
        tube.activity.waited.sum = 90_000.25
        let text = text(facts(tube))
        #expect(
            text.contains(
                """
                # TYPE beanrow_tube_wait_seconds histogram
                beanrow_tube_wait_seconds_bucket{tube="mail",le="0.001"} 3
                beanrow_tube_wait_seconds_bucket{tube="mail",le="0.0025"} 3
                beanrow_tube_wait_seconds_bucket{tube="mail",le="0.005"} 5

                """))
        #expect(
            text.contains(
                """
                beanrow_tube_wait_seconds_bucket{tube="mail",le="86400"} 5
                beanrow_tube_wait_seconds_bucket{tube="mail",le="+Inf"} 6
                beanrow_tube_wait_seconds_sum{tube="mail"} 90000.25
                beanrow_tube_wait_seconds_count{tube="mail"} 6

                """))
        #expect(!text.contains("beanrow_tube_work_seconds"))
    }

    @Test func histogramsOfWritersHaveTheirLabel() {
        var facts = MetricsFacts()
        facts.store.writers = [
            WriterFacts(
                writer: "puts", seconds: Histogram(bounds: [0.5], counts: [1, 1], sum: 1.5),
                operations: Histogram(bounds: [1, 10]))
        ]
        let text = text(facts)
        #expect(text.contains("beanrow_commit_seconds_bucket{writer=\"puts\",le=\"0.5\"} 1\n"))
        #expect(text.contains("beanrow_commit_seconds_bucket{writer=\"puts\",le=\"+Inf\"} 2\n"))
        #expect(text.contains("beanrow_commit_operations_bucket{writer=\"puts\",le=\"10\"} 0\n"))
        #expect(text.contains("beanrow_commit_operations_count{writer=\"puts\"} 0\n"))
    }

    @Test func valuesOfLabelsAreEscaped() throws {
        var facts = MetricsFacts()
        facts.process.host = "a\"b\\c\nd"
        let rendered = text(facts)
        #expect(rendered.contains(#"host="a\"b\\c\nd""#))
        let info = try #require(try Exposition(rendered).samples.first { $0.name == "beanrow_info" })
        #expect(info.labels["host"] == "a\"b\\c\nd")
    }

    @Test(arguments: [
        (0, "0"), (-7, "-7"), (1_234_567_890_123, "1234567890123"), (Int.min, "-9223372036854775808"),
    ]) func integers(_ number: Int, _ expected: String) {
        var text = TextBuffer()
        text.append(number)
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
    }

    @Test func largestCounter() {
        var text = TextBuffer()
        text.append(UInt64.max)
        #expect(String(decoding: text.bytes, as: UTF8.self) == "18446744073709551615")
    }

    @Test(
        arguments: [
            (0, "0"), (3, "3"), (0.25, "0.25"), (0.00001, "1e-05"), (-0.5, "-0.5"), (1e300, "1e+300"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]) func reals(_ number: Double, _ expected: String)
    {
        var text = TextBuffer()
        text.append(number)
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
    }

    /// What the whole queue has is told by one broker, what a broker has done by each.
    @Test func oneBrokerTellsForAll() throws {
        var tube = TubeSnapshot(name: TubeName("mail")!)
        tube.jobs.ready = 7
        tube.activity.puts = 9
        tube.maxReady = 10
        var facts = facts(tube)
        facts.database = DatabaseFacts(
            jobTableBytes: 8192, deadRows: [("job", 3)], oldestSnapshot: 0.5, warnings: [("dead rows", 0)])
        let teller = try Exposition(Metrics().render(facts))
        #expect(teller.value("beanrow_tube_jobs", ["tube": "mail", "state": "ready"]) == 7)
        #expect(teller.value("beanstalkd_tube_current_jobs_ready_count", ["tube": "mail"]) == 7)
        #expect(teller.value("beanrow_job_table_bytes") == 8192)
        #expect(teller.value("beanrow_warnings", ["warning": "dead rows"]) == 0)
        facts.tellsForAll = false
        let other = try Exposition(Metrics().render(facts))
        #expect(other.value("beanrow_tube_puts_total", ["tube": "mail"]) == 9)
        #expect(other.value("beanstalkd_up") == 0)
        let told = teller.families.subtracting(other.families)
        let one = Metrics.families(names: .davidtannock).filter { $0.teller == .one }.map(\.name)
        #expect(told.isSubset(of: one))
        #expect(other.families.isDisjoint(with: one))
        #expect(told.count > 15)
    }

    @Test func someTubesOnly() throws {
        let tubes = ["mail", "mailbox", "a/mail"].map { TubeSnapshot(name: TubeName($0)!) }
        var facts = MetricsFacts()
        facts.queue.tubes = tubes
        facts.tellsForAll = true
        let metrics = Metrics(tubes: try TubeFilter("mail|a/.*"))
        for _ in 1...2 {
            let told = try Exposition(metrics.render(facts))
            #expect(Set(told.samples.compactMap { $0.labels["tube"] }) == ["mail", "a/mail"])
        }
    }

    @Test func aPatternThatIsNone() {
        #expect(throws: (any Error).self) { try TubeFilter("mail(") }
    }

    /// A tube that is gone has no series, at the next scrape.
    @Test func aTubeGoes() throws {
        let both = try Exposition(
            Metrics().render(facts(TubeSnapshot(name: .default), TubeSnapshot(name: TubeName("mail")!))))
        #expect(both.samples.contains { $0.labels["tube"] == "mail" })
        let one = try Exposition(Metrics().render(facts(TubeSnapshot(name: .default))))
        #expect(!one.samples.contains { $0.labels["tube"] == "mail" })
    }
}
