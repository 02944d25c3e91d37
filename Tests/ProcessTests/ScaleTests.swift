import Foundation
import TestKit
import Testing

/// Large numbers: tubes, connections, values and bodies.
@Suite(.serialized) struct ScaleTests {
    @Test func tenThousandConnections() throws {
        try allowFiles(12_000)
        let server = try BrokerProcess.start()
        let clients = try (0..<10_000).map { _ in try server.connect() }
        for client in clients { try client.send("list-tube-used\r\n") }
        for client in clients { try client.expect("USING default") }
        try clients[9_999].send("stats\r\n")
        try clients[9_999].expectOK().expect(["current-connections": "10000"])
    }

    @Test func tenThousandTubes() throws {
        let client = try BrokerProcess.start().connect()
        try client.send((0..<10_000).map { "use tube-\($0)\r\nput 0 0 60 1\r\na\r\n" }.joined())
        for tube in 0..<10_000 {
            try client.expect("USING tube-\(tube)")
            _ = try client.expectInserted()
        }
        try client.send("list-tubes\r\nstats\r\n")
        #expect(try client.expectList().count == 10_001)
        try client.expectOK().expect(["current-tubes": "10001", "current-jobs-ready": "10000"])
    }

    @Test func aThousandTubesWatchedByOneClient() throws {
        let server = try BrokerProcess.start()
        let producer = try server.connect()
        let worker = try server.connect()
        try worker.send((0..<1_000).map { "watch tube-\($0)\r\n" }.joined() + "ignore default\r\n")
        for count in 2...1_001 { try worker.expect("WATCHING \(count)") }
        try worker.expect("WATCHING 1000")
        // The last tube has the most urgent job.
        try producer.send((0..<1_000).map { "use tube-\($0)\r\nput \(5_000 - $0) 0 60 1\r\na\r\n" }.joined())
        for tube in 0..<1_000 {
            try producer.expect("USING tube-\(tube)")
            _ = try producer.expectInserted()
        }
        for tube in (0..<1_000).reversed() {
            try worker.send("reserve-with-timeout 60\r\n")
            try worker.expectPrefix("RESERVED \(tube + 1) ")
            try worker.expect("a")
        }
        try worker.send("reserve-with-timeout 0\r\n")
        try worker.expect("TIMED_OUT")
    }

    @Test func theLargestNumbers() throws {
        let client = try BrokerProcess.start().connect()
        try client.send("put 4294967295 0 4294967295 1\r\na\r\nput 0 4294967295 1 1\r\nb\r\n")
        try client.send("put 0 0 4294967295 1\r\nc\r\n")
        for id in 1...3 { try client.expect("INSERTED \(id)") }
        try client.send("reserve\r\nreserve\r\nstats-job 1\r\nstats-job 2\r\n")
        try client.expect("RESERVED 3 1")
        try client.expect("c")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        try client.expectOK().expect(["pri": "4294967295", "ttr": "4294967295", "time-left": "4294967294"])
        try client.expectOK().expect(["state": "delayed", "delay": "4294967295"])
        try client.send("release 1 4294967295 4294967295\r\nbury 3 4294967295\r\ntouch 1\r\n")
        for line in ["RELEASED", "BURIED", "NOT_FOUND"] { try client.expect(line) }
    }

    /// A value in PostgreSQL is smaller than 1 GiB. A larger body is refused, and the connection stays usable.
    @Test func theLargestBodies() throws {
        let server = try BrokerProcess.start(["-z", "1073741824", "--database-timeout", "60"])
        let client = try server.connect()
        client.timeout = 120
        for (megabytes, reply) in [(64, "INSERTED"), (1_024, "OUT_OF_MEMORY")] {
            try client.send("put 0 0 60 \(megabytes << 20)\r\n")
            let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
            for _ in 0..<megabytes { try client.send(chunk) }
            try client.send("\r\n")
            try client.expectPrefix(reply)
        }
        try client.send("reserve\r\n")
        let line = try client.expectPrefix("RESERVED ")
        #expect(line.hasSuffix(" \(64 << 20)"))
        #expect(try client.readBodyBytes(64 << 20).count == 64 << 20)
    }
}
