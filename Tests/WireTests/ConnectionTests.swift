import TestKit
import Testing

/// Packets, pipelines, and clients that leave or misbehave.
@Suite struct ConnectionTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    @Test func putAndReserveInOnePacket() throws {
        try client.send("put 0 0 10 5\r\nhello\r\nreserve\r\nstats-job 1\r\ndelete 1\r\npeek 1\r\n")
        try client.expect("INSERTED 1")
        try client.expect("RESERVED 1 5")
        try client.expect("hello")
        try client.expectOK().expect(["state": "reserved", "reserves": "1"])
        try client.expect("DELETED")
        try client.expect("NOT_FOUND")
    }

    /// A reply that fills the channel was once sent twice.
    @Test func theLargestBodyComesBackOnce() throws {
        let body = String(repeating: "x", count: 65535)
        try client.send("put 0 0 10 65535\r\n\(body)\r\n")
        try client.expect("INSERTED 1")
        for command in ["reserve", "peek 1"] {
            try client.send("\(command)\r\ntouch 1\r\n")
            try client.expectPrefix(command == "reserve" ? "RESERVED 1 65535" : "FOUND 1 65535")
            try client.expect(body)
            try client.expect("TOUCHED")
        }
    }

    /// A reply to a command before `quit` is sent completely, even if the client reads slowly.
    @Test(arguments: [false, true])
    func quitDoesNotCutOffAReply(isFetched: Bool) throws {
        var server = try BrokerProcess.start(["-z", "12000000"], keepsJobs: true)
        let producer = try server.connect()
        try producer.send("put 0 0 100 12000000\r\n")
        for _ in 0..<12 { try producer.send([UInt8](repeating: UInt8(ascii: "x"), count: 1_000_000)) }
        try producer.send("\r\n")
        try producer.expect("INSERTED 1")
        // After a restart the body comes from the database, and `quit` waits for it.
        if isFetched { server = try server.restarted() }
        let client = try server.connect()
        try client.send("reserve\r\nquit\r\n")
        try server.waitUntil("cmd-reserve", is: 1)
        try client.expect("RESERVED 1 12000000")
        #expect(try client.readBodyBytes(12_000_000).count == 12_000_000)
        try client.expectEOF()
        let other = try server.connect()
        try eventually("its job is ready") { try other.state(of: 1) == "ready" }
    }

    @Test func manyCommandsInOnePacketAreAnsweredInOrder() throws {
        try client.send(
            "use t\r\nput 5 0 10 1\r\na\r\nwatch t\r\nignore default\r\nnonsense\r\nput 1 100 10 1\r\nb\r\n"
                + "peek-ready\r\npeek-delayed\r\nkick 10\r\nreserve\r\nbury 2 7\r\nkick-job 2\r\nreserve-job 1\r\n"
                + "touch 1\r\nrelease 1 9 0\r\nlist-tube-used\r\ndelete 1\r\ndelete 2\r\n"
        )
        for line in ["USING t", "INSERTED 1", "WATCHING 2", "WATCHING 1", "UNKNOWN_COMMAND", "INSERTED 2"] {
            try client.expect(line)
        }
        for line in ["FOUND 1 1", "a", "FOUND 2 1", "b", "KICKED 1", "RESERVED 2 1", "b", "BURIED", "KICKED"] {
            try client.expect(line)
        }
        for line in ["RESERVED 1 1", "a", "TOUCHED", "RELEASED", "USING t", "DELETED", "DELETED"] {
            try client.expect(line)
        }
    }

    @Test func aCommandInSingleBytes() throws {
        for byte in "put 0 0 10 2\r\nhi\r\nuse t\r\n".utf8 {
            try client.send([byte])
        }
        try client.expect("INSERTED 1")
        try client.expect("USING t")
    }

    @Test func commandsBehindABlockedReserveWait() throws {
        try client.send("reserve\r\nuse t\r\n")
        try server.waitUntil("current-waiting", is: 1)
        let producer = try server.connect()
        try producer.send("put 0 0 10 1\r\na\r\n")
        try producer.expect("INSERTED 1")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        try client.expect("USING t")
    }

    @Test func tenThousandPipelined() throws {
        let count = 10_000
        try client.send((1...count).map { "put 0 0 1000 6\r\njob \($0 % 90 + 10)\r\n" }.joined())
        for id in 1...count {
            try client.expect("INSERTED \(id)")
        }
        try client.send((1...count).map { "reserve\r\ndelete \($0)\r\n" }.joined())
        for id in 1...count {
            try client.expect("RESERVED \(id) 6")
            try client.expect("job \(id % 90 + 10)")
            try client.expect("DELETED")
        }
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
    }

    @Test func bodiesOfAllBytesAndSizes() throws {
        let lineEnds: [UInt8] = Array("\r\n\r\ndelete 1\r\n\0".utf8)
        let bodies = [[], Array(UInt8.min...UInt8.max), lineEnds, [UInt8](repeating: 0xFF, count: 65_535)]
        for (index, body) in bodies.enumerated() {
            try client.send(Array("put 0 0 100 \(body.count)\r\n".utf8) + body + Array("\r\n".utf8))
            try client.expect("INSERTED \(index + 1)")
            try client.send("reserve\r\n")
            try client.expect("RESERVED \(index + 1) \(body.count)")
            #expect(try client.readBodyBytes(body.count) == body)
        }
    }

    @Test func leavingReturnsJobsAndCountsNothing() throws {
        let holder = try server.connect()
        try holder.send("put 7 0 100 1\r\na\r\nreserve\r\n")
        try holder.expect("INSERTED 1")
        try holder.expect("RESERVED 1 1")
        try holder.expect("a")
        holder.close()
        try eventually("the job is ready") { try client.state(of: 1) == "ready" }
        try client.send("stats-job 1\r\n")
        try client.expectOK().expect([
            "pri": "7", "reserves": "1", "timeouts": "0", "releases": "0", "buries": "0", "kicks": "0",
        ])
        try client.send("stats\r\n")
        try client.expectOK().expect(["job-timeouts": "0"])
    }

    @Test func aHalfClosedWaiterIsSentAway() throws {
        try client.send("reserve\r\n")
        try server.waitUntil("current-waiting", is: 1)
        client.halfClose()
        try client.expect("TIMED_OUT")
        try client.expectEOF()
    }

    @Test func repliesStillReachAHalfClosedClient() throws {
        try client.send("put 0 0 10 1\r\na\r\nuse t\r\nlist-tubes-watched\r\n")
        client.halfClose()
        try client.expect("INSERTED 1")
        try client.expect("USING t")
        #expect(try client.expectList() == ["default"])
        try client.expectEOF()
    }

    @Test func garbageHarmsNobodyElse() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            let vandal = try server.connect()
            let garbage = (0..<5000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            try vandal.send(garbage + Array("\r\nput 0 0 1 99\r\n".utf8) + garbage.prefix(50))
            vandal.close()
        }
        try client.send("put 0 0 10 1\r\na\r\nreserve\r\n")
        let id = try client.expectInserted()
        try client.expect("RESERVED \(id) 1")
        try client.expect("a")
    }

    @Test func aSilentBodyHoldsNobodyUp() throws {
        let silent = try server.connect()
        try silent.send("use t\r\nput 0 0 10 10\r\nhalf ")
        try silent.expect("USING t")
        try client.send("put 0 0 10 1\r\na\r\nreserve\r\ndelete 2\r\n")
        let id = try client.expectInserted()
        try client.expect("RESERVED \(id) 1")
        try client.expect("a")
        try client.expect(id == 2 ? "DELETED" : "NOT_FOUND")
        try silent.send("a job\r\n")
        try silent.expectInserted()
    }

    @Test func aBodyThatNeverCameWhole() throws {
        let quitter = try server.connect()
        try quitter.send("use t\r\nput 0 0 10 10\r\nhalf ")
        try quitter.expect("USING t")
        quitter.close()
        // This test's own connection, and the one that asks.
        try server.waitUntil("current-connections", is: 2)
        try client.send("peek-ready\r\n")
        try client.expect("NOT_FOUND")
        try client.send("stats\r\n")
        try client.expectOK().expect(["current-jobs-ready": "0"])
    }

    @Test func aPutMakesAProducerBeforeItsBodyHasCome() throws {
        try client.send("put 0 0 10 10\r\nhalf ")
        try server.waitUntil("current-producers", is: 1)
        try server.waitUntil("cmd-put", is: 1)
        try client.send("a job\r\n")
        try client.expectInserted()
    }

    @Test func connectionsAreCounted() throws {
        let others = try (0..<50).map { _ in try server.connect() }
        for other in others {
            try other.send("reserve\r\n")
        }
        try server.waitUntil("current-waiting", is: 50)
        for other in others {
            other.close()
        }
        try server.waitUntil("current-waiting", is: 0)
        // This test's own connection, and the one that asks.
        try server.waitUntil("current-connections", is: 2)
    }

    @Test func manyWaitersGetOneJobEach() throws {
        let waiters = try (0..<20).map { _ in try server.connect() }
        for waiter in waiters {
            try waiter.send("reserve\r\n")
        }
        try server.waitUntil("current-waiting", is: 20)
        try client.send((1...20).map { _ in "put 0 0 100 1\r\na\r\n" }.joined())
        for id in 1...20 {
            try client.expect("INSERTED \(id)")
        }
        let ids = try waiters.map { try $0.expectJob().id }
        #expect(Set(ids) == Set(1...20))
    }
}
