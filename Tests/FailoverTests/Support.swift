import TestKit

extension BrokerProcess {
    /// A broker that knows both servers of a pair. It waits for the database as long as the tests wait, so that it refuses
    /// no write and closes no connection because of a slow failover.
    static func start(_ options: [String] = [], on pair: ReplicatedPostgres) throws -> BrokerProcess {
        try start(["--database-timeout", "60"] + options, database: pair.connectionString)
    }
}

extension ReplicatedPostgres {
    /// Kills the primary and promotes the standby.
    func failOver() throws {
        try primary.kill9()
        try promote()
    }
}

extension PostgresServer {
    /// The number of the brokers' sessions.
    var sessions: Int {
        get throws { Int(try psql("select count(*) from pg_stat_activity where application_name = 'beanrow'"))! }
    }
}

extension WireClient {
    /// Puts a job and returns its id.
    func put(_ body: String) throws -> UInt64 {
        try send("put 0 0 100 \(body.utf8.count)\r\n\(body)\r\n")
        return try expectInserted()
    }

    /// Sends a command and expects this line.
    func ask(_ command: String, _ answer: String, fileID: String = #fileID, line: Int = #line) throws {
        try send("\(command)\r\n")
        try expect(answer, fileID: fileID, line: line)
    }

    /// Waits until a put is acknowledged again, in a tube that nobody watches.
    func waitUntilPutsWork() throws {
        try ask("use probe", "USING probe")
        try eventually("a put works again") {
            try send("put 0 0 100 1\r\nx\r\n")
            return try readLine().hasPrefix("INSERTED ")
        }
        try ask("use default", "USING default")
    }
}
