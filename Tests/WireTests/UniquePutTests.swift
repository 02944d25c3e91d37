import TestKit
import Testing

/// Puts with a key, as tuber's clients send them.
@Suite(.beanrowOnly) struct UniquePutTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess

    init() throws {
        postgres = try TestPostgres.shared()
        server = try BrokerProcess.start(postgres: postgres)
    }

    private func psql(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(server.configuration.schema); \(sql)")
    }

    @Test func theLifeOfAKey() throws {
        let client = try server.connect()
        try client.send("put 0 0 100 1 idp:k\r\na\r\nput 0 0 100 1 idp:k\r\nb\r\n")
        try client.expect("INSERTED 1")
        try client.expect("INSERTED 1 READY")
        try client.send("reserve\r\nput 0 0 100 1 idp:k\r\nb\r\n")
        #expect(try client.expectJob().body == "a")
        try client.expect("INSERTED 1 RESERVED")
        try client.send("release 1 0 100\r\nput 0 0 100 1 idp:k\r\nb\r\n")
        try client.expect("RELEASED")
        try client.expect("INSERTED 1 DELAYED")
        try client.send("delete 1\r\nput 0 0 100 1 idp:k\r\nb\r\n")
        try client.expect("DELETED")
        let id = try client.expectInserted()
        try client.send("reserve\r\n")
        let job = try client.expectJob()
        #expect(job.id == id)
        #expect(job.body == "b")
        #expect(try psql("select count(*), min(key) from job") == "1|k")
    }

    @Test func whatIsNotKnownIsBadFormat() throws {
        let client = try server.connect()
        // The body is swallowed: it is not read as a command.
        try client.send("put 0 0 100 4 idp:k:300\r\nquit\r\nput 0 0 100 4 grp:g\r\nquit\r\nlist-tube-used\r\n")
        try client.expect("BAD_FORMAT")
        try client.expect("BAD_FORMAT")
        try client.expect("USING default")
        #expect(try psql("select count(*) from job") == "0")
    }

    /// Many clients of two brokers put the same few keys at the same time.
    @Test func atTheSameMomentFromTwoBrokers() throws {
        let other = try BrokerProcess.start(postgres: postgres, schema: server.configuration.schema)
        let clients = try (0..<8).map { try ($0 % 2 == 0 ? server : other).connect() }
        for round in 0..<20 {
            for client in clients {
                try client.send("put 0 0 100 1 idp:round-\(round)\r\nx\r\n")
            }
            let answers = try clients.map { try $0.readLine().split(separator: " ").map(String.init) }
            #expect(answers.allSatisfy { $0.first == "INSERTED" && $0.count >= 2 }, "\(answers)")
            #expect(Set(answers.compactMap { $0.dropFirst().first }).count == 1, "one id for all: \(answers)")
            #expect(answers.count { $0.count == 2 } == 1, "one has put it: \(answers)")
        }
        #expect(try psql("select count(*), count(distinct key) from job") == "20|20")
    }
}
