import TestKit
import Testing

/// Thousands of tubes, and tubes that are used once.
@Suite(.beanrowOnly) struct ManyTubesTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    private func count(_ table: String, _ condition: String = "true") throws -> String {
        try TestPostgres.shared().psql(
            "select count(*) from \(server.configuration.schema).\(table) where \(condition)")
    }

    /// One tube for each request and one for each answer: they leave nothing behind.
    @Test func tubesThatAreUsedOnceLeaveNothing() throws {
        for round in 0..<10 {
            var sent = ""
            for n in 1...50 {
                let id = round * 50 + n
                sent +=
                    "use once-\(id)\r\nwatch once-\(id)\r\nput 0 0 60 1\r\nx\r\nreserve\r\ndelete \(id)\r\nignore once-\(id)\r\n"
            }
            try client.send(sent)
            for n in 1...50 {
                let id = round * 50 + n
                for line in ["USING once-\(id)", "WATCHING 2", "INSERTED \(id)", "RESERVED \(id) 1", "x", "DELETED"] {
                    try client.expect(line)
                }
                try client.expect("WATCHING 1")
            }
        }
        // On a slow machine the first ones are gone by now: the number of another tube tells how many there were.
        try client.send("use other\r\nput 0 0 60 1\r\nx\r\nuse default\r\n")
        try client.expect("USING other")
        try client.expectInserted()
        try client.expect("USING default")
        #expect(try count("tube", "name = 'other' and id > 500") == "1")
        try eventually("their rows are gone", within: 60) { try count("tube", "name like 'once%'") == "0" }
        #expect(try count("tube_count", "tube_id not in (select id from \(server.configuration.schema).tube)") == "0")
        // They can be used again, as if they were new.
        try client.send("use once-1\r\nput 0 0 60 1\r\ny\r\npeek-ready\r\n")
        try client.expect("USING once-1")
        let id = try client.expectInserted()
        try client.expect("FOUND \(id) 1")
        try client.expect("y")
    }

    /// Two brokers: a client of one uses the tube that the other removes.
    @Test func aTubeThatAnotherBrokerHasRemovedIsPutInto() throws {
        let other = try BrokerProcess(server.configuration)
        let its = try other.connect()
        try its.send("use quiet\r\nput 0 0 60 1\r\na\r\n")
        try its.expect("USING quiet")
        let id = try its.expectInserted()
        try its.send("delete \(id)\r\n")
        try its.expect("DELETED")
        try eventually("its row is gone", within: 60) { try count("tube", "name = 'quiet'") == "0" }
        try its.send("put 0 0 60 1\r\nb\r\npeek-ready\r\n")
        let next = try its.expectInserted()
        try its.expect("FOUND \(next) 1")
        try its.expect("b")
        try client.send("watch quiet\r\nreserve\r\n")
        try client.expect("WATCHING 2")
        try client.expect("RESERVED \(next) 1")
        try client.expect("b")
    }
}
