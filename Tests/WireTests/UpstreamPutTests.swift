import TestKit
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Upstream's cases about `put`, its limits, and how the server is reached.
@Suite struct UpstreamPutTests {
    @Test func put_in_drain() throws {
        let server = try BrokerProcess.start()
        let client = try server.connect()
        server.signal(SIGUSR1)
        try eventually("the server drains") {
            try client.send("stats\r\n")
            return try client.expectOK()["draining"] == "true"
        }
        try client.send("put 0 0 1 1\r\nx\r\n")
        try client.expect("DRAINING")
    }

    @Test func peek_ok_unix() throws {
        let server = try BrokerProcess.start(overSocket: true)
        let client = try server.connect()
        try client.send("put 0 0 1 1\r\na\r\n")
        try client.expect("INSERTED 1")
        try client.send("peek 1\r\n")
        try client.expect("FOUND 1 1")
        try client.expect("a")
    }

    @Test func unix_auto_removal() throws {
        let first = try BrokerProcess.start(overSocket: true)
        first.kill9()
        // The socket file of the dead server still exists.
        let second = try BrokerProcess(first.configuration)
        let client = try second.connect()
        try client.send("list-tube-used\r\n")
        try client.expect("USING default")
    }

    @Test func too_big() throws {
        let client = try BrokerProcess.start(["-z", "10"]).connect()
        // The body is swallowed, with the command in it.
        try client.send("put 0 0 0 11\r\ndelete 9999\r\n")
        try client.send("put 0 0 0 1\r\nx\r\n")
        try client.expect("JOB_TOO_BIG")
        try client.expect("INSERTED 1")
    }

    @Test func job_size_max_plus_1() throws {
        let client = try BrokerProcess.start(["-z", "1073741824"]).connect()
        try client.send("put 0 0 0 1073741825\r\n")
        let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        for _ in 0..<1024 {
            try client.send(chunk)
        }
        try client.send("x\r\n")
        try client.expect("JOB_TOO_BIG")
    }

    @Test func small_delay() throws {
        let client = try BrokerProcess.start().connect()
        try client.send("put 0 1 1 0\r\n\r\n")
        try client.expect("INSERTED 1")
    }

    @Test func zero_delay() throws {
        let client = try BrokerProcess.start().connect()
        try client.send("put 0 0 1 0\r\n\r\n")
        try client.expect("INSERTED 1")
    }

    @Test func ttrlarge() throws {
        let client = try BrokerProcess.start().connect()
        for ttr in [120, 4294, 4295, 4296, 4297, 5000, 21600] {
            try client.send("put 0 0 \(ttr) 1\r\na\r\n")
            let id = try client.expectInserted()
            try client.send("stats-job \(id)\r\n")
            try client.expectOK().expect(["ttr": "\(ttr)"])
        }
    }

    @Test func ttr_small() throws {
        let client = try BrokerProcess.start().connect()
        try client.send("put 0 0 0 1\r\na\r\n")
        try client.expect("INSERTED 1")
        try client.send("stats-job 1\r\n")
        try client.expectOK().expect(["ttr": "1"])
    }
}
