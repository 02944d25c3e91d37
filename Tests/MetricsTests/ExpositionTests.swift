import Foundation
import MetricsExposition
import TestKit
import Testing

/// `GET /metrics` of real brokers.
@Suite("Metrics: of a broker") struct ExpositionTests {
    private func put(_ tube: String, _ client: WireClient, count: Int = 1, ttr: Int = 60) throws -> [UInt64] {
        try client.send("use \(tube)\r\n")
        try client.expect("USING \(tube)")
        return try (0..<count).map { _ in
            try client.send("put 0 0 \(ttr) 4\r\nbody\r\n")
            return try client.expectInserted()
        }
    }

    private func reserve(_ client: WireClient) throws -> UInt64 {
        try client.send("reserve-with-timeout 30\r\n")
        return try client.expectJob().id
    }

    @Test(arguments: [[], ["--metrics-messagebird"]]) func promtoolFindsNothing(_ options: [String]) throws {
        let broker = try BrokerProcess.withMetrics(options)
        let client = try broker.connect()
        _ = try put("a/b+c", client, count: 3)
        try client.send("watch a/b+c\r\n")
        try client.expect("WATCHING 2")
        try client.send("delete \(try reserve(client))\r\n")
        try client.expect("DELETED")
        try broker.waitForSample("beanrow_tube_deletes_total", ["tube": "a/b+c"], is: 1)
        try broker.waitForSample("beanrow_tube_jobs", ["tube": "a/b+c", "state": "ready"], is: 2)
        try eventually("the oldest job is known") {
            try broker.scrape().families.contains("beanrow_tube_oldest_ready_seconds")
        }
        let text = try broker.scrapedText()
        #expect(try checkedByPromtool(text) == "")
        // All families but those that say what is not there.
        let told = try Exposition(text).families
        let missing = Set(
            Metrics.families(names: options.isEmpty ? .davidtannock : .messagebird).map(\.name)
        ).subtracting(told)
        #expect(
            missing == [
                "beanrow_tube_paused_seconds_left", "beanrow_tube_max_ready", "beanrow_tube_buries_by_policy",
            ])
    }

    @Test func promtoolFindsWhatIsWrong() throws {
        #expect(throws: (any Error).self) { try checkedByPromtool("# TYPE a counter\na 1\n") }
    }

    /// Puts, reserves, a timeout, releases, burials, kicks and deletes, counted one by one.
    @Test func numbersAfterAKnownHistory() throws {
        let broker = try BrokerProcess.withMetrics()
        let (client, other) = (try broker.connect(), try broker.connect())
        _ = try put("mail", client, count: 5)
        try client.send("watch mail\r\nignore default\r\n")
        try client.expect("WATCHING 2")
        try client.expect("WATCHING 1")
        let ids = try (0..<4).map { _ in try reserve(client) }
        try client.send("delete \(ids[0])\r\nrelease \(ids[1]) 0 1000\r\nbury \(ids[2]) 0\r\nkick 1\r\n")
        try client.expect("DELETED")
        try client.expect("RELEASED")
        try client.expect("BURIED")
        try client.expect("KICKED 1")
        // One runs out of time.
        _ = try put("slow", other, ttr: 1)
        try other.send("watch slow\r\n")
        try other.expect("WATCHING 2")
        _ = try reserve(other)
        let mail = ["tube": "mail"]
        try broker.waitForSample("beanrow_tube_timeouts_total", ["tube": "slow"], is: 1)
        try broker.waitForSample("beanrow_tube_jobs", ["tube": "mail", "state": "ready"], is: 2)
        let metrics = try broker.scrape()
        #expect(metrics.value("beanrow_tube_puts_total", mail) == 5)
        #expect(metrics.value("beanrow_tube_body_bytes_total", mail) == 20)
        #expect(metrics.value("beanrow_tube_reserves_total", mail) == 4)
        #expect(metrics.value("beanrow_tube_deletes_total", mail) == 1)
        #expect(metrics.value("beanrow_tube_releases_total", mail) == 1)
        #expect(metrics.value("beanrow_tube_buries_total", mail) == 1)
        #expect(metrics.value("beanrow_tube_kicks_total", mail) == 1)
        #expect(metrics.value("beanrow_tube_timeouts_total", mail) == 0)
        #expect(metrics.value("beanrow_tube_wait_seconds_count", mail) == 4)
        #expect(metrics.value("beanrow_tube_wait_seconds_bucket", mail.merging(["le": "+Inf"]) { $1 }) == 4)
        #expect(metrics.value("beanrow_tube_work_seconds_count", mail) == 1)
        #expect(metrics.value("beanrow_tube_jobs", ["tube": "mail", "state": "reserved"]) == 1)
        #expect(metrics.value("beanrow_tube_jobs", ["tube": "mail", "state": "delayed"]) == 1)
        #expect(metrics.value("beanrow_tube_jobs", ["tube": "mail", "state": "buried"]) == 0)
        #expect(metrics.value("beanrow_tube_clients", ["tube": "mail", "role": "watching"]) == 1)
        #expect(metrics.value("beanstalkd_tube_current_jobs_ready_count", mail) == 2)
        #expect(metrics.value("beanstalkd_tube_cmd_delete_total", mail) == 1)
        #expect(metrics.value("beanstalkd_cmd_put_total") == 6)
        #expect(metrics.value("beanstalkd_job_timeouts_count") == 1)
        #expect(metrics.value("beanrow_jobs", ["state": "delayed"]) == 1)
        #expect(metrics.value("beanrow_clients", ["role": "producer"]) == 2)
        #expect(metrics.value("beanrow_ready") == 1)
        #expect(metrics.value("beanrow_database_up") == 1)
        #expect(metrics.value("beanrow_brokers") == 1)
        #expect(metrics.value("beanrow_commit_operations_sum", ["writer": "puts"]) == 6)
        let info = try #require(metrics.samples.first { $0.name == "beanrow_info" })
        #expect(info.labels["pid"] == "\(broker.pid)")
    }

    @Test func aRefusedPutIsCounted() throws {
        let broker = try BrokerProcess.withMetrics()
        let client = try broker.connect()
        try broker.waitForSample("beanrow_puts_refused_total", is: 0)
        let schema = broker.configuration.schema
        _ = try TestPostgres.shared().psql("select \(schema).set_policy('default', max_ready => 1)")
        try broker.waitForSample("beanrow_tube_max_ready", ["tube": "default"], is: 1)
        try client.send("put 0 0 9 1\r\na\r\nput 0 0 9 1\r\nb\r\n")
        try client.expectInserted()
        try client.expect("OUT_OF_MEMORY")
        try broker.waitForSample("beanrow_puts_refused_total", is: 1)
    }

    @Test func whatTheDatabaseSays() throws {
        let broker = try BrokerProcess.withMetrics()
        try broker.waitForSample("beanrow_warnings", ["warning": "old snapshot"], is: 0)
        let metrics = try broker.scrape()
        #expect(try #require(metrics.value("beanrow_job_table_bytes")) > 0)
        #expect(metrics.value("beanrow_dead_rows", ["table": "job"]) != nil)
        #expect(try #require(metrics.value("beanrow_oldest_snapshot_seconds")) < 3600)
        #expect(metrics.samples.filter { $0.name == "beanrow_warnings" }.count == 6)
    }

    /// A pause, and tubes that are chosen.
    @Test func someTubesOnly() throws {
        let broker = try BrokerProcess.withMetrics(["--metrics-tubes", "mail|news/.*"])
        let client = try broker.connect()
        for tube in ["mail", "mailbox", "news/de"] { _ = try put(tube, client) }
        try client.send("pause-tube mail 1000\r\n")
        try client.expect("PAUSED")
        try eventually("the pause is told") {
            (try broker.scrape().value("beanrow_tube_paused_seconds_left", ["tube": "mail"]) ?? 0) > 900
        }
        try broker.waitForSample("beanrow_jobs", ["state": "ready"], is: 3)
        #expect(Set(try broker.scrape().samples.compactMap { $0.labels["tube"] }) == ["mail", "news/de"])
    }

    @Test func aPatternThatIsNone() throws {
        #expect {
            try BrokerProcess.withMetrics(["--metrics-tubes", "mail("])
        } throws: { error in
            "\(error)".contains("'mail(' is invalid for '--metrics-tubes <regex>': it is no regular expression")
        }
    }

    @Test func aRemovedTubesSeriesGo() throws {
        let broker = try BrokerProcess.withMetrics()
        let client = try broker.connect()
        let id = try put("short", client)[0]
        try broker.waitForSample("beanrow_tube_puts_total", ["tube": "short"], is: 1)
        try client.send("delete \(id)\r\nuse default\r\n")
        try client.expect("DELETED")
        try client.expect("USING default")
        try eventually("no sample is of the tube") {
            try !broker.scrape().samples.contains { $0.labels["tube"] == "short" }
        }
        #expect(try broker.scrape().samples.contains { $0.labels["tube"] == "default" })
    }

    /// Counts of the queue come from one broker, counts of what a broker has done from each; another takes over.
    @Test func aSumOverTwoBrokersIsRight() throws {
        let one = try BrokerProcess.withMetrics()
        let two = try BrokerProcess(one.configuration)
        let brokers = [one, two]
        func sum(_ name: String, _ labels: [String: String]) throws -> Double {
            try brokers.map { try $0.scrape().value(name, labels) ?? 0 }.reduce(0, +)
        }
        try one.waitForSample("beanrow_brokers", is: 2)
        for (broker, count) in [(one, 3), (two, 4)] { _ = try put("mail", broker.connect(), count: count) }
        try one.waitForSample("beanrow_tube_jobs", ["tube": "mail", "state": "ready"], is: 7)
        #expect(try sum("beanrow_tube_jobs", ["tube": "mail", "state": "ready"]) == 7)
        #expect(try sum("beanstalkd_current_jobs_ready_count", [:]) == 7)
        #expect(try sum("beanstalkd_tube_current_jobs_ready_count", ["tube": "mail"]) == 7)
        try one.waitForSample("beanrow_tube_puts_total", ["tube": "mail"], is: 3)
        try two.waitForSample("beanrow_tube_puts_total", ["tube": "mail"], is: 4)
        #expect(try two.scrape().value("beanrow_jobs", ["state": "ready"]) == nil)
        #expect(try two.scrape().value("beanrow_job_table_bytes") == nil)
        try one.stop()
        try two.waitForSample("beanrow_tube_jobs", ["tube": "mail", "state": "ready"], is: 7)
        try two.waitForSample("beanrow_brokers", is: 1)
    }

    /// While the database is away the broker says so, and tells nothing that it does not know.
    @Test func withoutItsDatabase() throws {
        let postgres = try TestPostgres.private()
        let broker = try BrokerProcess.withMetrics(postgres: postgres)
        try broker.waitForSample("beanrow_database_up", is: 1)
        try broker.waitForSample("beanrow_jobs", ["state": "ready"], is: 0)
        try postgres.stop()
        try broker.waitForSample("beanrow_database_up", is: 0)
        try broker.waitForSample("beanrow_ready", is: 0)
        #expect(try broker.scrape().value("beanrow_jobs", ["state": "ready"]) == nil)
        #expect(try checkedByPromtool(broker.scrapedText()) == "")
        try postgres.start()
        try broker.waitForSample("beanrow_ready", is: 1)
        try broker.waitForSample("beanrow_jobs", ["state": "ready"], is: 0)
        #expect(try #require(broker.scrape().value("beanrow_database_reconnects_total")) > 0)
    }
}
