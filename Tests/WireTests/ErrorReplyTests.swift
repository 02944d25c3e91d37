import TestKit
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Every error reply, and the exact limits of valid commands.
@Suite struct ErrorReplyTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    private func expect(_ reply: String, for lines: [String], sourceLine: Int = #line) throws {
        for line in lines {
            try client.send("\(line)\r\n")
            try client.expect(reply, line: sourceLine)
        }
    }

    @Test func unknownCommands() throws {
        try expect("UNKNOWN_COMMAND", for: ["", " ", "put", "delete", "use", "kick", "peek", "watch", "ignore"])
        try expect("UNKNOWN_COMMAND", for: ["RESERVE", "Put 0 0 1 1", " stats", "bury", "release", "touch", "quot"])
    }

    @Test func commandsThatOnlyBeginWell() throws {
        try expect("BAD_FORMAT", for: ["put ", "delete ", "use ", "kick ", "peek ", "watch ", "bury ", "touch "])
        try expect("BAD_FORMAT", for: ["reserved", "reserve-with-timeout", "reserve-job", "reserve-job x", "statsx"])
        try expect("BAD_FORMAT", for: ["stats-tube", "stats-tube ", "list-tubesx", "list-tube-used ", "peek-readyx"])
        try expect("BAD_FORMAT", for: ["pause-tube default", "pause-tube default x", "pause-tube default 1 "])
    }

    @Test func numbers() throws {
        try expect(
            "BAD_FORMAT", for: ["delete +1", "delete -1", "delete 1 ", "delete \t1", "delete 0x1", "delete 1.0"])
        try expect("NOT_FOUND", for: ["delete 0", "delete    77", "delete 00077", "delete 18446744073709551615"])
        try expect("BAD_FORMAT", for: ["put 0 4294967296 1 1", "put 0 0 4294967296 1", "put 0 0 1", "put 0 0 1 1 "])
        try expect("BAD_FORMAT", for: ["release 1 4294967296 0", "release 1 0 4294967296", "bury 1 4294967296"])
        try expect("TIMED_OUT", for: ["reserve-with-timeout 0", "reserve-with-timeout 0 and so on"])
        try expect("KICKED 0", for: ["kick 1", "kick -1", "kick +1", "kick 1x", "kick 4294967296"])
        try expect("BAD_FORMAT", for: ["kick x", "kick 18446744073709551616"])
    }

    // beanstalkd 1.12 accepts these, cut to the size of an int.
    @Test(.beanrowOnly) func whatIsNoTimeout() throws {
        try expect("BAD_FORMAT", for: ["2147483648", "4294967296", "x", "-"].map { "reserve-with-timeout \($0)" })
    }

    @Test func timeoutsAsInC() throws {
        try expect("TIMED_OUT", for: ["-0", "+0", " \t0", "0x10"].map { "reserve-with-timeout \($0)" })
        try expect("BAD_FORMAT", for: ["18446744073709551616", "\(Int64.min)0"].map { "reserve-with-timeout \($0)" })
    }

    // beanstalkd 1.12 answers the same; 1.13 answers BAD_FORMAT.
    @Test func aNegativeTimeoutIsNone() throws {
        for timeout in ["-1", "-2147483647"] {
            let worker = try server.connect()
            try worker.send("reserve-with-timeout \(timeout)\r\n")
            try eventually("it waits") {
                try client.send("stats\r\n")
                return try client.expectOK()["current-waiting"] == "1"
            }
            try client.send("put 0 0 100 1\r\na\r\n")
            let id = try client.expectInserted()
            try worker.expect("RESERVED \(id) 1")
            try worker.expect("a")
            try worker.send("delete \(id)\r\n")
            try worker.expect("DELETED")
        }
        try client.send("stats\r\n")
        try client.expectOK().expect(["cmd-reserve": "0", "cmd-reserve-with-timeout": "2"])
    }

    @Test func tubeNames() throws {
        try expect("USING aZ09-+/;.$_()", for: ["use aZ09-+/;.$_()"])
        try expect("BAD_FORMAT", for: ["use -a", "use a b", "use a ", "use  a", "use a*", "use \u{e4}", "watch -a"])
        try expect("BAD_FORMAT", for: ["watch a,b", "ignore -a", "stats-tube -a", "pause-tube -a 0"])
    }

    @Test func notFound() throws {
        try expect("NOT_FOUND", for: ["delete 9", "release 9 0 0", "bury 9 0", "touch 9", "reserve-job 9", "peek 9"])
        try expect("NOT_FOUND", for: ["kick-job 9", "stats-job 9", "stats-tube nowhere", "pause-tube nowhere 1"])
        try expect("NOT_FOUND", for: ["peek-ready", "peek-delayed", "peek-buried"])
    }

    @Test func notIgnored() throws {
        try expect("WATCHING 1", for: ["ignore nowhere"])
        try expect("NOT_IGNORED", for: ["ignore default"])
    }

    @Test func expectedCRLF() throws {
        // Exactly two bytes after the body are skipped, whatever they are.
        try client.send("put 0 0 10 1\r\nabc")
        try client.expect("EXPECTED_CRLF")
        try client.send("put 0 0 10 1\r\na\r\n")
        try client.expectInserted()
    }

    @Test func jobTooBig() throws {
        let body = String(repeating: "x", count: 65_536)
        try client.send("put 0 0 10 65536\r\n\(body)\r\nuse t\r\n")
        try client.expect("JOB_TOO_BIG")
        try client.expect("USING t")
    }

    @Test func tooBigIsSaidBeforeTrailingGarbage() throws {
        try client.send("put 0 0 10 65536 x\r\n\(String(repeating: "x", count: 65_536))\r\n")
        try client.expect("JOB_TOO_BIG")
    }

    @Test func aLineOf224Bytes() throws {
        let line = "kick " + String(repeating: "0", count: 224 - 2 - 6) + "1"
        try expect("KICKED 0", for: [line])
        try client.send("kick 0\(line.dropFirst(5))0\r\n")
        try client.expect("BAD_FORMAT")
        try expect("KICKED 0", for: [line])
    }

    // beanstalkd reads the CR as the line's 224th byte and then waits for another line.
    @Test(.beanrowOnly) func aLineOf225Bytes() throws {
        try client.send("kick " + String(repeating: "0", count: 225 - 2 - 5) + "\r\n")
        try client.expect("BAD_FORMAT")
    }

    @Test func aLongLineIsAnsweredOnce() throws {
        try client.send(String(repeating: "put 0 0 1 1 ", count: 20_000) + "\r\nuse t\r\n")
        try client.expect("BAD_FORMAT")
        try client.expect("USING t")
    }

    @Test func nulBytes() throws {
        try client.send("use a\0b\r\n")
        try client.expect("BAD_FORMAT")
        try client.send("\0\r\n")
        try client.expect("BAD_FORMAT")
        try client.send("nothing\0known\r\n")
        try client.expect("BAD_FORMAT")
    }

    @Test func aBareNewlineEndsNoLine() throws {
        try client.send("use foo\n\r\n")
        try client.expect("BAD_FORMAT")
    }

    @Test func quitNeedsNoExactMatch() throws {
        try client.send("quitting\r\nuse t\r\n")
        try client.expectEOF()
    }

    @Test func badFormatOfPutLeavesTheBodyToBeRead() throws {
        try client.send("put x 0 1 5\r\nhello\r\n")
        try client.expect("BAD_FORMAT")
        try client.expect("UNKNOWN_COMMAND")
    }

    @Test func drainingComesAfterTheOtherErrors() throws {
        server.signal(SIGUSR1)
        try eventually("the server drains") {
            try client.send("stats\r\n")
            return try client.expectOK()["draining"] == "true"
        }
        try client.send("put 0 0 1 1\r\nabc")
        try client.expect("EXPECTED_CRLF")
        try client.send("put 0 0 1 65536\r\n\(String(repeating: "x", count: 65_536))\r\n")
        try client.expect("JOB_TOO_BIG")
        try client.send("put 0 0 1 1\r\na\r\n")
        try client.expect("DRAINING")
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
    }
}
