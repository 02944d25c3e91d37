import TestKit
import Testing

/// Tubes with a policy, set by SQL while brokers serve.
@Suite(.beanrowOnly) struct PolicyTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        postgres = try TestPostgres.shared()
        server = try BrokerProcess.start(postgres: postgres)
        client = try server.connect()
    }

    private func psql(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(server.configuration.schema); \(sql)")
    }

    private func reserve(_ id: UInt64, by worker: WireClient) throws {
        try worker.send("reserve-with-timeout 10\r\n")
        try worker.expect("RESERVED \(id) 1")
        try worker.expect("x")
    }

    /// Waits until the broker knows the policies: when it knows that of the tube set last, it knows all.
    private func known() throws {
        _ = try psql("select set_policy('witness', max_ready => 1)")
        let witness = try server.connect()
        try witness.send("use witness\r\nput 0 0 1 0\r\n\r\n")
        try witness.expect("USING witness")
        try witness.expectInserted()
        try eventually("the broker has learnt") {
            try witness.send("put 0 1000 1 0\r\n\r\nput 0 0 1 0\r\n\r\n")
            try witness.expectInserted()
            return try witness.readLine() == "OUT_OF_MEMORY"
        }
    }

    @Test func aPoisonousJobIsBuriedByItsTimeouts() throws {
        _ = try psql("select set_policy('default', bury_after_timeouts => 2)")
        try known()
        try client.send("put 0 0 1 1\r\nx\r\n")
        let id = try client.expectInserted()
        try reserve(id, by: client)
        // Not by the same client: it still holds a job whose time to run is nearly over.
        let second = try server.connect()
        try reserve(id, by: second)
        try eventually("it is buried") { try client.state(of: id) == "buried" }
        try eventually("the row says so") {
            try psql("select state, timeouts, buries from jobs where id = \(id)") == "buried|2|1"
        }
    }

    @Test func aJobThatIsReleasedTooOftenIsBuried() throws {
        _ = try psql("select set_policy('default', bury_after_releases => 1)")
        try known()
        try client.send("put 0 0 100 1\r\nx\r\n")
        let id = try client.expectInserted()
        try reserve(id, by: client)
        try client.send("release \(id) 7 0\r\n")
        try client.expect("BURIED")
        #expect(try psql("select state, priority, releases, buries from jobs where id = \(id)") == "buried|7|1|1")
        try client.send("kick 1\r\n")
        try client.expect("KICKED 1")
    }

    @Test func aFullTubeTellsItsProducers() throws {
        _ = try psql("select set_policy('default', max_ready => 2)")
        try known()
        try client.send("put 0 0 9 1\r\na\r\nput 0 0 9 1\r\nb\r\nput 0 0 9 1\r\nc\r\n")
        let first = try client.expectInserted()
        try client.expectInserted()
        try client.expect("OUT_OF_MEMORY")
        try client.send("delete \(first)\r\nput 0 0 9 1\r\nc\r\n")
        try client.expect("DELETED")
        try client.expectInserted()
    }

    @Test func aBrokerThatStartsKnowsThemFromItsFirstJobOn() throws {
        _ = try psql("select set_policy('default', max_ready => 1)")
        let other = try BrokerProcess.start(postgres: postgres, schema: server.configuration.schema)
        let client = try other.connect()
        try client.send("put 0 0 9 1\r\na\r\nput 0 0 9 1\r\nb\r\n")
        try client.expectInserted()
        try client.expect("OUT_OF_MEMORY")
    }

    @Test func aPolicyThatIsTakenBackIsOver() throws {
        _ = try psql("select set_policy('default', max_ready => 1)")
        try known()
        try client.send("put 0 0 9 1\r\na\r\nput 0 0 9 1\r\nb\r\n")
        try client.expectInserted()
        try client.expect("OUT_OF_MEMORY")
        _ = try psql("select set_policy('default')")
        #expect(try psql("select tube from tube_policies") == "witness")
        try eventually("the tube takes more") {
            try client.send("put 0 0 9 1\r\nb\r\n")
            return try client.readLine().hasPrefix("INSERTED")
        }
    }
}
