import TestKit
import Testing

/// Tools that search jobs walk over all ids: aurora with `stats-job` from `total-jobs` down to 1, beanstalk_console with
/// `peek` from 1 to the jobs that there are and `cmd-delete`. Both loops reach every job, whoever has put it.
@Suite(.beanrowOnly) struct IDWalkTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess

    init() throws {
        postgres = try TestPostgres.shared()
        server = try BrokerProcess.start(postgres: postgres)
    }

    private func stats(of client: WireClient) throws -> [String: Int] {
        try client.send("stats\r\n")
        let stats = try client.expectOK()
        return try Dictionary(
            uniqueKeysWithValues: [
                "total-jobs", "cmd-delete", "current-jobs-ready", "current-jobs-reserved", "current-jobs-delayed",
                "current-jobs-buried",
            ].map { ($0, try #require(stats[$0].flatMap { Int($0) })) })
    }

    /// The ids that aurora's search finds.
    private func walkDown(_ client: WireClient) throws -> [UInt64] {
        let total = try #require(try stats(of: client)["total-jobs"])
        return try (1...UInt64(max(1, total))).reversed().filter { try exists("stats-job", $0, client) }
    }

    /// The ids that beanstalk_console's search finds.
    private func walkUp(_ client: WireClient) throws -> [UInt64] {
        let last = try stats(of: client).filter { $0.key != "total-jobs" }.values.reduce(0, +)
        return try (1...UInt64(max(1, last))).filter { try exists("peek", $0, client) }
    }

    private func exists(_ command: String, _ id: UInt64, _ client: WireClient) throws -> Bool {
        try client.send("\(command) \(id)\r\n")
        let words = try client.readLine().split(separator: " ")
        guard words != ["NOT_FOUND"] else { return false }
        _ = try client.readBody(try #require(words.last.flatMap { Int($0) }))
        return true
    }

    private func expectWalks(at client: WireClient, toFind ids: [UInt64], line: Int = #line) throws {
        try eventually("both walks find \(ids)", line: line) {
            let (down, up) = (try walkDown(client), try walkUp(client))
            return down == ids.reversed() && up == ids
        }
    }

    private func put(_ client: WireClient, _ count: Int) throws -> [UInt64] {
        try (0..<count).map { _ in
            try client.send("put 0 0 100 1\r\na\r\n")
            return try client.expectInserted()
        }
    }

    @Test func afterARestart() throws {
        let client = try server.connect()
        let ids = try put(client, 5)
        try client.send("delete \(ids[0])\r\ndelete \(ids[3])\r\n")
        try client.expect("DELETED")
        try client.expect("DELETED")
        let left = [ids[1], ids[2], ids[4]]
        try expectWalks(at: client, toFind: left)

        let next = try server.restarted()
        let again = try next.connect()
        try expectWalks(at: again, toFind: left)
        let more = try put(again, 2)
        try expectWalks(at: again, toFind: left + more)
    }

    @Test func jobsOfAnotherBrokerAndOfSQL() throws {
        let client = try server.connect()
        let second = try BrokerProcess.start(postgres: postgres, schema: server.configuration.schema)
        let other = try second.connect()
        var ids = try put(client, 2) + put(other, 2)
        let schema = server.configuration.schema
        ids.append(try #require(UInt64(try postgres.psql("select \(schema).put('mail', 'hello')"))))
        try client.send("delete \(ids[1])\r\n")
        try client.expect("DELETED")
        ids.remove(at: 1)
        try expectWalks(at: client, toFind: ids.sorted())
        try expectWalks(at: other, toFind: ids.sorted())
    }

    /// A counter that decreases looks as if the broker had been started anew.
    @Test func theNumbersNeverDecrease() throws {
        let client = try server.connect()
        var last = try stats(of: client)
        for _ in 0..<20 {
            let id = try put(client, 1)[0]
            try client.send("reserve\r\n")
            try client.expectJob()
            let middle = try stats(of: client)
            try client.send("delete \(id)\r\n")
            try client.expect("DELETED")
            let now = try stats(of: client)
            for key in ["total-jobs", "cmd-delete"] {
                #expect(last[key]! <= middle[key]! && middle[key]! <= now[key]!, "\(key)")
            }
            last = now
        }
        #expect(last["total-jobs"] == 20 && last["cmd-delete"] == 20)
    }
}
