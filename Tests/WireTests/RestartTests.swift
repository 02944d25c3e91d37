import TestKit
import Testing

/// What a restart keeps beyond beanstalkd's binlog.
@Suite(.beanrowOnly) struct RestartTests {
    private let first: BrokerProcess
    private let before: WireClient

    init() throws {
        first = try BrokerProcess.start()
        before = try first.connect()
    }

    private func put(_ arguments: String, as id: UInt64) throws {
        try before.send("put \(arguments) 1\r\nx\r\n")
        try before.expect("INSERTED \(id)")
    }

    private func reserve(_ id: UInt64) throws {
        try before.send("reserve-job \(id)\r\n")
        try before.expect("RESERVED \(id) 1")
        try before.expect("x")
    }

    @Test func sigtermEndsItCleanly() throws {
        // A waiting client does not delay it.
        try before.send("reserve\r\n")
        try first.waitUntil("current-waiting", is: 1)
        #expect(try first.stop() == 0)
    }

    @Test func thePriorityOfARelease() throws {
        try put("5 0 100", as: 1)
        try reserve(1)
        try before.send("release 1 42 0\r\n")
        try before.expect("RELEASED")
        let after = try first.restarted().connect()
        try after.send("stats-job 1\r\n")
        try after.expectOK().expect(["state": "ready", "pri": "42", "reserves": "1", "releases": "1"])
    }

    @Test func theCountersOfAJob() throws {
        try put("5 0 1", as: 1)
        try reserve(1)
        try eventually("the reservation has run out") { try before.state(of: 1) == "ready" }
        // Each in one packet, so that the reservation does not run out.
        for _ in 0..<2 {
            try before.send("reserve-job 1\r\nbury 1 6\r\nkick-job 1\r\n")
            for line in ["RESERVED 1 1", "x", "BURIED", "KICKED"] { try before.expect(line) }
        }
        try before.send("reserve-job 1\r\nrelease 1 7 1000\r\n")
        for line in ["RESERVED 1 1", "x", "RELEASED"] { try before.expect(line) }
        let after = try first.restarted().connect()
        try after.send("stats-job 1\r\n")
        try after.expectOK().expect([
            "tube": "default", "state": "delayed", "pri": "7", "delay": "1000", "ttr": "1", "reserves": "4",
            "timeouts": "1", "releases": "1", "buries": "2", "kicks": "2",
        ])
    }

    @Test func theOrderOfTheBuried() throws {
        for id: UInt64 in 1...4 {
            try put("5 0 100", as: id)
        }
        for id: UInt64 in [3, 1, 4, 2] {
            try reserve(id)
            try before.send("bury \(id) 5\r\n")
            try before.expect("BURIED")
        }
        let after = try first.restarted().connect()
        for id in [3, 1, 4, 2] {
            try after.send("peek-buried\r\nkick 1\r\n")
            try after.expect("FOUND \(id) 1")
            try after.expect("x")
            try after.expect("KICKED 1")
        }
    }

    @Test func aPause() throws {
        try put("5 0 100", as: 1)
        try before.send("pause-tube default 1000\r\n")
        try before.expect("PAUSED")
        let after = try first.restarted().connect()
        try after.send("reserve-with-timeout 0\r\nstats-tube default\r\n")
        try after.expect("TIMED_OUT")
        let left = try after.expectOK().number("pause-time-left")
        #expect((900...1000).contains(left))
        try after.send("pause-tube default 0\r\nreserve-with-timeout 5\r\n")
        try after.expect("PAUSED")
        try after.expect("RESERVED 1 1")
    }

    @Test func aDelay() throws {
        try put("5 2 100", as: 1)
        try put("5 1000 100", as: 2)
        let after = try first.restarted().connect()
        #expect(try after.state(of: 2) == "delayed")
        try after.send("reserve-with-timeout 9\r\n")
        try after.expect("RESERVED 1 1")
    }

    @Test func aReservedJobIsReadyAgain() throws {
        try put("5 0 1000", as: 1)
        try reserve(1)
        let after = try first.restarted().connect()
        try after.send("reserve-with-timeout 9\r\n")
        try after.expect("RESERVED 1 1")
        try after.expect("x")
    }

    @Test func theBodyToTheByte() throws {
        let body = Array(UInt8.min...UInt8.max) + Array("\r\n\0\\x41'".utf8)
        try before.send(Array("put 0 0 100 \(body.count)\r\n".utf8) + body + Array("\r\n".utf8))
        try before.expect("INSERTED 1")
        let after = try first.restarted().connect()
        try after.send("reserve-with-timeout 9\r\n")
        try after.expect("RESERVED 1 \(body.count)")
        #expect(try after.readBodyBytes(body.count) == body)
    }

    @Test func anIDIsNeverGivenAgain() throws {
        try put("0 0 100", as: 1)
        try put("0 0 100", as: 2)
        try before.send("delete 1\r\ndelete 2\r\n")
        try before.expect("DELETED")
        try before.expect("DELETED")
        let after = try first.restarted().connect()
        try after.send("put 0 0 100 1\r\nx\r\n")
        #expect(try after.expectInserted() > 2)
    }
}
