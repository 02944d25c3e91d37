import Foundation
import TestKit
import Testing

/// The limits on the number of clients and on how long they may be idle.
@Suite struct LimitTests {
    @Test func oneClientTooMany() throws {
        let server = try BrokerProcess.start(["--max-connections", "5"])
        let clients = try (0..<5).map { _ in try server.connect() }
        for client in clients {
            try client.send("list-tube-used\r\n")
            try client.expect("USING default")
        }
        let start = ContinuousClock.now
        for _ in 0..<200 {
            let refused = try server.connect()
            try refused.expect("OUT_OF_MEMORY")
            try refused.expectEOF()
        }
        let lines = server.stderr.ranges(of: "clients were turned away").count
        // After each such line there is no other for 10 s.
        let most = 1 + Int((ContinuousClock.now - start) / .seconds(10))
        #expect((1...most).contains(lines), "said once in a while")
        // Open connections are served as before, and when one ends another can come.
        try clients[1].send("put 0 0 60 1\r\na\r\n")
        try clients[1].expectInserted()
        clients[0].close()
        try eventually("there is room again") {
            let client = try server.connect()
            try? client.send("list-tube-used\r\n")
            return try client.readLine() == "USING default"
        }
    }

    /// More clients than file descriptors: some descriptors stay free for the database.
    @Test func moreClientsThanDescriptors() throws {
        let postgres = try TestPostgres.private()
        let server = try BrokerProcess.start(postgres: postgres, descriptors: 128)
        let clients = try (0..<300).map { _ in try server.connect() }
        var served: [WireClient] = []
        for client in clients {
            try? client.send("list-tube-used\r\n")
            let line = try client.readLine()
            if line == "USING default" { served.append(client) } else { #expect(line == "OUT_OF_MEMORY") }
        }
        #expect(served.count == 64)
        try postgres.stop()
        try postgres.start()
        try eventually("the broker has reached its database again") {
            try served[0].send("put 0 0 60 1\r\na\r\n")
            return try served[0].readLine().hasPrefix("INSERTED")
        }
        for client in clients { client.close() }
        try eventually("others may come") {
            let client = try server.connect()
            try? client.send("list-tube-used\r\n")
            return try client.readLine() == "USING default"
        }
        #expect(try server.stop() == 0)
    }

    /// An accept that fails is repeated, but not at once.
    @Test func noDescriptorIsLeft() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        try client.send("list-tube-used\r\n")
        try client.expect("USING default")
        _ = try runProgram("/usr/bin/prlimit", ["--pid", "\(server.pid)", "--nofile=4:"])
        let waiting = try server.connect()
        try waiting.send("list-tube-used\r\n")
        try eventually("the broker says so") { server.stderr.contains("connections could not be accepted") }
        let before = try server.processorSeconds
        try waiting.expectNothing(within: 2)
        #expect(try server.processorSeconds - before < 1, "it spins")
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expectInserted()
        _ = try runProgram("/usr/bin/prlimit", ["--pid", "\(server.pid)", "--nofile=1000:"])
        try waiting.expect("USING default")
    }

    @Test func anIdleClient() throws {
        let server = try BrokerProcess.start(["--idle-timeout", "3"])
        let idle = try server.connect()
        try idle.send("put 0 0 100 1\r\na\r\nreserve\r\n")
        try idle.expect("INSERTED 1")
        try idle.expectJob()
        let waiting = try server.connect()
        let slow = try server.connect()
        try waiting.send("use other\r\nwatch other\r\nignore default\r\nreserve\r\n")
        try waiting.expect("USING other")
        try waiting.expect("WATCHING 2")
        try waiting.expect("WATCHING 1")

        // It sends something now and then, for longer than the idle limit.
        let start = ContinuousClock.now
        for byte in "put 0 0 100 30\r\n123456789012345678901234567890\r\n".utf8 {
            try slow.send([byte])
            Thread.sleep(forTimeInterval: 0.15)
        }
        #expect(ContinuousClock.now - start > .seconds(6))
        try idle.expectEOF()
        try slow.expectInserted()
        // The job of the idle client is ready again.
        try slow.send("reserve-job 1\r\nuse other\r\nput 0 0 100 1\r\nb\r\n")
        #expect(try slow.expectJob().body == "a")
        try slow.expect("USING other")
        let id = try slow.expectInserted()
        // A client that waits for a job is not idle: its idle time begins with the answer.
        #expect(try waiting.expectJob().id == id)
        try waiting.send("delete \(id)\r\n")
        try waiting.expect("DELETED")
        try waiting.expectEOF()
    }

    /// Without the option no connection is closed.
    @Test func withoutALimitNobodyIsIdle() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        try client.expectNothing(within: 2)
        try client.send("list-tube-used\r\n")
        try client.expect("USING default")
    }

    /// A client that reads a long reply slowly is not idle; one that does not read it is.
    @Test func anIdleReader() throws {
        let server = try BrokerProcess.start(["--idle-timeout", "3", "-z", "40000000"])
        let client = try server.connect()
        try client.send("put 0 0 60 40000000\r\n")
        let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        for _ in 0..<40 { try client.send(chunk) }
        try client.send("\r\n")
        let id = try client.expectInserted()
        let reader = try MuteClient(of: server)
        let sleeper = try MuteClient(of: server)
        for client in [reader, sleeper] { _ = try client.push(Array("peek \(id)\r\n".utf8)) }
        var received = 0
        while let bytes = try reader.take() {
            received += bytes.count
            if received >= 40_000_000 { break }
            Thread.sleep(forTimeInterval: 0.2)
        }
        #expect(received >= 40_000_000)
        try server.waitUntil("current-connections", is: 1)
    }
}
