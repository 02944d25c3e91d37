import TestKit
import Testing

/// A client that left earlier is not counted, whichever threads serve it and the client that asks.
@Suite(.beanrowOnly) struct LeavingTests {
    /// The last thing that a client does.
    enum Leave: CaseIterable {
        case close, quit, closeBehindAReserve, closeBehindCommands
    }

    /// The system itself is sometimes late to report a closed connection: beanstalkd 1.12 misses 3 to 12 of 200.
    private static let tries = 100
    private static let missesAllowed = 3

    @Test(arguments: [1, 4], Leave.allCases)
    func isNotCounted(threads: Int, leave: Leave) throws {
        let server = try BrokerProcess.start(["--threads", "\(threads)"])
        let client = try server.connect()
        var misses: [String] = []
        for _ in 0..<Self.tries {
            let other = try server.connect()
            try other.send("watch w\r\n")
            try other.expect("WATCHING 2")
            switch leave {
            case .close: break
            case .quit: try other.send("quit\r\n")
            case .closeBehindAReserve: try other.send("reserve\r\n")
            case .closeBehindCommands: try other.send("use u\r\nlist-tube-used\r\nuse default\r\n")
            }
            other.close()
            try client.send("stats\r\nlist-tubes\r\n")
            let stats = try client.expectOK()
            let seen = ["current-connections", "current-waiting", "current-workers"].map { stats[$0] ?? "missing" }
            let tubes = try client.expectList()
            if seen != ["1", "0", "0"] || tubes != ["default"] { misses.append("\(seen), \(tubes)") }
            try eventually("it has gone") {
                try client.send("stats\r\nlist-tubes\r\n")
                let isAlone = try client.expectOK()["current-connections"] == "1"
                return try client.expectList() == ["default"] && isAlone
            }
        }
        #expect(misses.count <= Self.missesAllowed, "\(misses)")
    }

    @Test(arguments: [1, 4]) func itsJobIsReady(threads: Int) throws {
        let server = try BrokerProcess.start(["--threads", "\(threads)"])
        let client = try server.connect()
        try client.send("put 0 0 1000 1\r\na\r\n")
        try client.expect("INSERTED 1")
        var misses = 0
        for _ in 0..<Self.tries {
            let other = try server.connect()
            try other.send("reserve\r\n")
            try other.expect("RESERVED 1 1")
            try other.expect("a")
            other.close()
            try client.send("stats-job 1\r\nstats-tube default\r\n")
            let state = try client.expectOK()["state"]
            let tube = try client.expectOK()
            if state != "ready" || tube["current-jobs-ready"] != "1" || tube["current-watching"] != "1" { misses += 1 }
            try eventually("it is ready") { try client.state(of: 1) == "ready" }
        }
        #expect(misses <= Self.missesAllowed)
    }

    /// Each such command waits for all threads; many in one packet wait once.
    @Test func manyQuestionsInOnePacket() throws {
        let server = try BrokerProcess.start(["--threads", "4"])
        let client = try server.connect()
        try client.send(String(repeating: "stats-tube default\r\nuse a\r\nlist-tubes\r\nuse default\r\n", count: 200))
        for _ in 0..<200 {
            #expect(try client.expectOK()["name"] == "default")
            try client.expect("USING a")
            #expect(try client.expectList() == ["default", "a"])
            try client.expect("USING default")
        }
        try client.send("stats\r\nquit\r\n")
        try client.expectOK().expect(["current-connections": "1", "cmd-stats-tube": "200", "cmd-list-tubes": "200"])
        try client.expectEOF()
    }
}
