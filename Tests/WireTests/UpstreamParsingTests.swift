import TestKit
import Testing

/// Upstream's cases about how a command line is read.
@Suite struct UpstreamParsingTests {
    private let client: WireClient

    init() throws {
        client = try BrokerProcess.start().connect()
    }

    /// Each line must get this reply.
    private func expect(_ reply: String, for lines: [String]) throws {
        for line in lines {
            try client.send("\(line)\r\n")
            try client.expect(reply)
        }
    }

    @Test func unknown_command() throws {
        try expect("UNKNOWN_COMMAND", for: ["nont10knowncommand"])
    }

    @Test func too_long_commandline() throws {
        for _ in 0..<5 {
            try client.send(String(repeating: "a", count: 50))
        }
        try client.send("\r\n")
        try client.expect("BAD_FORMAT")
        // The connection still works.
        try client.send("put 0 0 1 1\r\nA\r\n")
        try client.expect("INSERTED 1")
    }

    @Test func peek_bad_format() throws {
        try expect("BAD_FORMAT", for: badIDs.map { "peek \($0)" })
    }

    @Test func delete_bad_format() throws {
        try expect("BAD_FORMAT", for: badIDs.map { "delete \($0)" })
    }

    @Test func touch_bad_format() throws {
        try expect("BAD_FORMAT", for: ["touch a111", "touch 111a", "touch !@#!@#"])
    }

    @Test func kickjob_bad_format() throws {
        try expect("BAD_FORMAT", for: ["kick-job a111", "kick-job 111a", "kick-job !@#!@#"])
    }

    @Test func bury_bad_format() throws {
        try expect("BAD_FORMAT", for: ["bury 111abc 2", "bury 111", "bury 111 222abc"])
    }

    @Test func release_bad_format() throws {
        try expect("BAD_FORMAT", for: badIDs.prefix(2).map { "release \($0) 1 1" })
        try expect("BAD_FORMAT", for: ["release foo111", "release 111foo"])
        try expect("BAD_FORMAT", for: ["release 18446744073709551615 abc 1", "release 18446744073709551615 1 abc"])
    }

    @Test func statsjob_ck_format() throws {
        try expect("BAD_FORMAT", for: ["stats-job 111ABC", "stats-job 111 222"])
        try expect("NOT_FOUND", for: ["stats-job 111"])
    }

    @Test func job_size_invalid() throws {
        try client.send("put 0 0 0 4294967296\r\n")
        try client.send("put 0 0 0 10b\r\n")
        try client.send("put 0 0 0 --!@#$%^&&**()0b\r\n")
        try client.send("put 0 0 0 1\r\nx\r\n")
        try client.expect("BAD_FORMAT")
        try client.expect("BAD_FORMAT")
        try client.expect("BAD_FORMAT")
        try client.expect("INSERTED 1")
    }

    @Test func negative_delay() throws {
        try expect("BAD_FORMAT", for: ["put 512 -1 100 0"])
    }

    @Test func garbage_priority() throws {
        try expect("BAD_FORMAT", for: ["put -1kkdj9djjkd9 0 100 1"])
        // The body is not swallowed: it is read as a command.
        try expect("UNKNOWN_COMMAND", for: ["a"])
    }

    @Test func negative_priority() throws {
        try expect("BAD_FORMAT", for: ["put -1 0 100 1"])
    }

    @Test func too_big_priority() throws {
        try expect("BAD_FORMAT", for: ["put 4294967296 0 100 1"])
    }

    @Test func max_priority() throws {
        try client.send("put 4294967295 0 100 1\r\na\r\n")
        try client.expect("INSERTED 1")
    }

    @Test func underscore() throws {
        try client.send("use x_y\r\n")
        try client.expect("USING x_y")
    }

    @Test("2cmdpacket") func two_commands_in_one_packet() throws {
        try client.send("use a\r\nuse b\r\n")
        try client.expect("USING a")
        try client.expect("USING b")
    }

    @Test func use_tube_long() throws {
        try client.send("use \(longestName)\r\n")
        try client.expect("USING \(longestName)")
        try client.send("use \(longestName)Z\r\n")
        try client.expect("BAD_FORMAT")
    }

    @Test func longest_command() throws {
        try client.send("use \(longestName)\r\n")
        try client.expect("USING \(longestName)")
        try client.send("pause-tube \(longestName) 4294967295\r\n")
        try client.expect("PAUSED")
    }
}

private let longestName = String(repeating: "0123456789", count: 20)

/// One more than fits into 64 bits, far more, and numbers next to letters.
private let badIDs = [
    "18446744073709551616",
    "184467440737095516160000000000000000000000000000",
    "foo111",
    "111foo",
]
