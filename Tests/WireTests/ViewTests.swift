import TestKit
import Testing

/// What SQL readers see, about a second late at most.
@Suite(.beanrowOnly) struct ViewTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess
    private let client: WireClient
    private var schema: String { server.configuration.schema }

    init() throws {
        postgres = try TestPostgres.shared()
        server = try BrokerProcess.start(postgres: postgres)
        client = try server.connect()
    }

    /// Polls until the query gives these lines. `%` in it stands for the schema.
    private func expect(_ lines: [String], from query: String, line: Int = #line) throws {
        let sql = query.replacing("%", with: schema)
        var seen = ""
        do {
            try eventually("the query tells the truth", within: 3, line: line) {
                seen = try postgres.psql(sql)
                return seen == lines.joined(separator: "\n")
            }
        } catch {
            throw WireMismatch("\(error)\n\(sql)\nlast gave: \(seen)", line: line)
        }
    }

    private func reserve(_ id: Int) throws {
        try client.send("reserve-job \(id)\r\n")
        try client.expectJob()
    }

    @Test func aJobInEachState() throws {
        for (id, delay) in [(1, 0), (2, 0), (3, 0), (4, 1000)] {
            try client.send("put \(id) \(delay) 100 6\r\nbody \(id)\r\n")
            try client.expect("INSERTED \(id)")
        }
        try reserve(2)
        try reserve(3)
        try client.send("bury 3 33\r\n")
        try client.expect("BURIED")

        try expect(
            ["buried|1", "delayed|1", "ready|1", "reserved|1"],
            from: "SELECT state, count(*) FROM %.jobs GROUP BY 1 ORDER BY 1"
        )
        try expect(
            [
                "1|default|ready|1|body 1|0|0|0", "2|default|reserved|2|body 2|1|0|0",
                "3|default|buried|33|body 3|1|1|0", "4|default|delayed|4|body 4|0|0|0",
            ],
            from: """
                SELECT id, tube, state, priority, convert_from(body, 'UTF8'), reserves, buries, kicks
                FROM %.jobs ORDER BY id
                """
        )
        try expect(["default|1|1|1|1|t"], from: tubes)
        // Only a reserved job has a holder and a deadline.
        try expect(
            ["f|f|f", "t|t|t", "f|f|f", "f|f|f"],
            from: """
                SELECT reserved_at IS NOT NULL, coalesce(reserved_until > now(), false), broker IS NOT NULL
                FROM %.jobs ORDER BY id
                """
        )
        // Only a ready or delayed job has a time at which it is ready.
        try expect(
            ["t|t"],
            from: "SELECT r.ready_at <= now(), d.ready_at > now() + interval '900 s'"
                + " FROM %.jobs r, %.jobs d WHERE r.id = 1 AND d.id = 4")
    }

    @Test func eachStepOfAJob() throws {
        try client.send("put 9 0 100 1\r\nx\r\n")
        try client.expect("INSERTED 1")
        try expect(["ready|9|0|0|0|0"], from: steps)
        try reserve(1)
        try expect(["reserved|9|1|0|0|0"], from: steps)
        try client.send("release 1 8 0\r\n")
        try client.expect("RELEASED")
        try expect(["ready|8|1|1|0|0"], from: steps)
        try reserve(1)
        try client.send("bury 1 7\r\n")
        try client.expect("BURIED")
        try expect(["buried|7|2|1|1|0"], from: steps)
        try client.send("kick 1\r\n")
        try client.expect("KICKED 1")
        try expect(["ready|7|2|1|1|1"], from: steps)
        try client.send("delete 1\r\n")
        try client.expect("DELETED")
        try expect([""], from: steps)
    }

    @Test func aTimeout() throws {
        try client.send("put 9 0 1 1\r\nx\r\nreserve\r\n")
        try client.expect("INSERTED 1")
        try client.expectJob()
        try eventually("the time has run out") { try client.state(of: 1) == "ready" }
        try expect(["ready|1|1"], from: "SELECT state, timeouts, reserves FROM %.jobs")
    }

    @Test func aPausedTube() throws {
        try client.send("pause-tube default 1000\r\n")
        try client.expect("PAUSED")
        try expect(["t"], from: "SELECT paused_until > now() + interval '900 s' FROM %.tubes WHERE name = 'default'")
        try client.send("pause-tube default 0\r\n")
        try client.expect("PAUSED")
        try expect(
            ["0"], from: "SELECT count(*) FROM %.tubes WHERE name = 'default' AND paused_until > now()")
    }

    @Test func theBrokerItself() throws {
        try expect(["1"], from: "SELECT count(*) FROM %.brokers WHERE pid = \(server.pid)")
        try server.stop()
        try expect(["0"], from: "SELECT count(*) FROM %.brokers WHERE pid = \(server.pid)")
    }

    /// In the view, and in a broker's log from its start on.
    @Test func whatAnOperatorIsWarnedOf() throws {
        #expect(try server.stop() == 0)
        _ = try postgres.psql("alter table \(schema).job set (autovacuum_enabled = false)")
        try expect(["autovacuum off|job"], from: "select warning, object from %.warnings where object = 'job'")
        let broker = try BrokerProcess(server.configuration)
        try eventually("the log has it") { broker.stderr.contains("autovacuum off: job. Its dead rows") }
        #expect(broker.stderr.contains("warning beanrow: task=keeper"))
    }
}

private let tubes = """
    SELECT name, ready, delayed, reserved, buried, oldest_ready_at <= now() FROM %.tubes WHERE name = 'default'
    """

private let steps = "SELECT state, priority, reserves, releases, buries, kicks FROM %.jobs"
