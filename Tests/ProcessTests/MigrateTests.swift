import TestKit
import Testing

/// The schema made by `beanrow migrate`, with jobs in it.
@Suite("Migrations by hand")
struct MigrateTests {
    let managed: ManagedSchema
    var postgres: TestPostgres { managed.postgres }
    var schema: String { managed.name }

    init() throws {
        managed = try ManagedSchema()
    }

    /// The script that is printed without a database.
    private func scriptWithoutDatabase(_ direction: String) throws -> String {
        try runProgram(BrokerProcess.beanrowPath(), ["migrate", direction, "--sql", "--schema", schema])
    }

    private func isApplied() throws -> [Bool] {
        try managed.migrate("status").split(separator: "\n").map { $0.hasSuffix(": applied") }
    }

    private func broker() throws -> BrokerProcess { try BrokerProcess.start(postgres: postgres, schema: schema) }

    private func put(_ body: String, at broker: BrokerProcess) throws {
        let client = try broker.connect()
        try client.send("put 0 0 60 \(body.utf8.count)\r\n\(body)\r\n")
        try client.expectInserted()
    }

    /// Deletes the next job.
    /// - Returns: Its body.
    private func take(from broker: BrokerProcess) throws -> String {
        let client = try broker.connect()
        try client.send("reserve-with-timeout 60\r\n")
        let job = try client.expectJob()
        try client.send("delete \(job.id)\r\n")
        try client.expect("DELETED")
        return job.body
    }

    // MARK: Scripts

    @Test func thePrintedScriptMakesTheWholeSchema() throws {
        let script = try scriptWithoutDatabase("up")
        #expect(try !isApplied().contains(true), "nothing has been run")
        try postgres.runScript(script)
        #expect(try !isApplied().contains(false))
        #expect(try managed.migrate("up", "--sql") == "-- Nothing is to be done.\n")
        let broker = try BrokerProcess.start(["--no-migrate"], postgres: postgres, schema: schema)
        try put("a", at: broker)
        #expect(try take(from: broker) == "a")
    }

    /// The script makes the same schema as the migrator.
    @Test func theScriptAndTheMigratorAgree() throws {
        let day = { try postgres.psql("select (now() at time zone 'UTC')::date") }
        var (before, one, other) = ("", "", "")
        // Partitions of the history are named after days, so both schemas must be made on the same day.
        repeat {
            (before, one, other) = try (day(), postgres.freshSchema(), postgres.freshSchema())
            try postgres.runScript(managed.migrate("up", "--sql", schema: one))
            _ = try managed.migrate("up", schema: other)
        } while try day() != before
        let dump = { (name: String) in
            try runProgram(
                "/usr/bin/env", ["pg_dump", "-d", postgres.connectionString, "--schema-only", "--schema=\(name)"]
            ).split(separator: "\n").filter { !$0.hasPrefix("\\") }.joined(separator: "\n").replacing(name, with: "X")
        }
        #expect(try dump(one) == dump(other))
        let records = { (name: String) in
            try postgres.psql("select version, name, checksum from \(name).migration order by version")
        }
        #expect(try records(one) == records(other))
    }

    @Test func onlyWhatIsMissingIsPrinted() throws {
        _ = try managed.migrate("up")
        _ = try managed.migrate("down")
        let script = try managed.migrate("up", "--sql")
        #expect(!script.contains("create table job ("))
        #expect(try isApplied().last == false)
        try postgres.runScript(script)
        #expect(try !isApplied().contains(false))
        #expect(throws: (any Error).self, "a second time") { try postgres.runScript(script) }
    }

    @Test func theScriptDownTakesBackOneStep() throws {
        _ = try managed.migrate("up")
        let script = try managed.migrate("down", "--sql")
        #expect(try scriptWithoutDatabase("down") == script)
        try postgres.runScript(script)
        let applied = try isApplied()
        #expect(applied.filter { !$0 }.count == 1)
        #expect(applied.last == false)
    }

    // MARK: With jobs

    @Test func jobsOutliveAllButTheFirstStepDown() throws {
        let first = try broker()
        for body in ["a", "b"] { try put(body, at: first) }
        try first.stop()
        let steps = try isApplied().count
        for step in (1..<steps).reversed() {
            #expect(try managed.migrate("down") == "schema \(schema) is at version \(step)\n")
            #expect(try postgres.psql("select count(*) from \(schema).job") == "2")
        }
        #expect(try isApplied() == [true] + Array(repeating: false, count: steps - 1))
        #expect(try managed.migrate("up") == "schema \(schema) is at version \(steps)\n")
        let second = try broker()
        #expect(try [take(from: second), take(from: second)] == ["a", "b"])
        try second.stop()
        for step in (0..<steps).reversed() {
            #expect(try managed.migrate("down") == "schema \(schema) is at version \(step)\n")
        }
        #expect(try managed.migrate("up") == "schema \(schema) is at version \(steps)\n")
    }

    @Test func eachSchemaIsAQueueOfItsOwn() throws {
        let here = try broker()
        let there = try BrokerProcess.start(postgres: postgres)
        try put("here", at: here)
        try put("there", at: there)
        #expect(try take(from: there) == "there")
        #expect(try take(from: here) == "here")
        for broker in [here, there] {
            let client = try broker.connect()
            try client.send("reserve-with-timeout 0\r\n")
            try client.expect("TIMED_OUT")
            #expect(try postgres.psql("select count(*) from \(broker.configuration.schema).broker") == "1")
        }
        _ = try there.stop()
        for _ in try isApplied() {
            _ = try managed.migrate("down", schema: there.configuration.schema)
        }
        try put("still here", at: here)
        #expect(try take(from: here) == "still here")
    }
}
