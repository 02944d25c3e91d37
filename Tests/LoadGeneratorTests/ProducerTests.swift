import Testing

@testable import LoadGenerator

@Suite struct ProducerTests {
    @Test func putsOneAfterTheOther() throws {
        let state = begunState(jobs: 2)
        var exchange = Exchange(state, Producer(state, index: 0))
        #expect(exchange.heard() == "use t\r\n")
        #expect(!exchange.client.isPrepared)
        try exchange.receive("USING t\r\n")
        #expect(exchange.client.isPrepared)
        exchange.proceed(at: 5)
        #expect(exchange.heard() == "put 1024 0 60 60\r\n" + body(0, at: 5, of: state) + "\r\n")
        #expect(!exchange.client.isAtRest)
        try exchange.receive("INSERTED 7\r\n", at: 25)
        #expect(exchange.heard() == "put 1024 0 60 60\r\n" + body(1, at: 25, of: state) + "\r\n")
        try exchange.receive("INSERTED 8\r\n", at: 55)
        #expect(exchange.heard() == "")
        #expect(exchange.client.isAtRest)
        #expect(state.ledger.acknowledged == 2)
        #expect((state.firstPut, state.lastInserted) == (5, 55))
        #expect(state.latencies.put.summary?.count == 2)
    }

    @Test func keepsSoManyInFlight() throws {
        let state = begunState { $0.depth = 3 }
        var exchange = Exchange(state, Producer(state, index: 0))
        exchange.proceed(at: 0)
        #expect(exchange.heard().split(separator: "\r\n").count == 1 + 3 * 2)
        try exchange.receive("USING t\r\nINSERTED 1\r\nINSERTED 2\r\n", at: 10)
        #expect(exchange.heard().split(separator: "\r\n").count == 2 * 2)
        #expect(state.schedule.sent == 5)
    }

    @Test func repliesMayComeByteByByte() throws {
        let state = begunState { $0.depth = 2 }
        var exchange = Exchange(state, Producer(state, index: 0))
        exchange.proceed(at: 0)
        for byte in "USING t\r\nINSERTED 123\r\nINSERTED 124\r\n".utf8 { try exchange.receive([byte]) }
        #expect(state.ledger.id(0) == 123)
        #expect(state.ledger.id(1) == 124)
        #expect(state.ledger.acknowledged == 2)
    }

    @Test func aRateIsMeasuredFromThePlan() throws {
        let state = begunState { $0.rate = 1e6 }
        var exchange = Exchange(state, Producer(state, index: 0))
        try exchange.receive("USING t\r\n")
        _ = exchange.heard()
        exchange.proceed(at: 0)
        #expect(exchange.heard().contains(body(0, of: state)))
        // The second put was planned for 1000 ns, when the answer to the first was outstanding.
        try exchange.receive("INSERTED 1\r\n", at: 9000)
        #expect(exchange.heard().contains(body(1, at: 1000, of: state)))
        try exchange.receive("INSERTED 2\r\n", at: 11000)
        let latency = try #require(state.latencies.put.summary)
        #expect(abs(latency.max - 0.010) < 0.0001)
    }

    @Test func goesRoundItsShareOfTheTubes() throws {
        let state = begunState(jobs: 3) {
            $0.tubes = 4
            $0.producers = 2
            $0.depth = 3
        }
        var exchange = Exchange(state, Producer(state, index: 1))
        exchange.proceed(at: 0)
        let lines = exchange.heard().split(separator: "\r\n")
        #expect(lines.filter { $0.hasPrefix("use ") } == ["use t-1", "use t-3", "use t-1"])
        try exchange.receive("USING t-1\r\nINSERTED 1\r\nUSING t-3\r\nINSERTED 2\r\nUSING t-1\r\nINSERTED 3\r\n")
        #expect(exchange.client.isPrepared)
    }

    @Test func aProducerForEachTubeNeverChangesIt() throws {
        let state = begunState {
            $0.tubes = 4
            $0.producers = 8
            $0.depth = 3
        }
        var exchange = Exchange(state, Producer(state, index: 6))
        exchange.proceed(at: 0)
        #expect(exchange.heard().split(separator: "\r\n").filter { $0.hasPrefix("use ") } == ["use t-2"])
    }

    @Test(arguments: ["OUT_OF_MEMORY", "JOB_TOO_BIG", "DELETED", "INSERTED x", "INSERTED 1 2", "INSERTED -1", ""])
    func anyOtherReplyIsAFailure(line: String) throws {
        let state = begunState()
        var exchange = Exchange(state, Producer(state, index: 0))
        exchange.proceed(at: 0)
        #expect(throws: LoadFailure("unexpected reply to put: \(line)")) { try exchange.receive(line + "\r\n") }
    }

    @Test func aReplyTooManyIsAFailure() throws {
        let state = begunState(jobs: 1)
        var exchange = Exchange(state, Producer(state, index: 0))
        exchange.proceed(at: 0)
        #expect(throws: LoadFailure("unexpected reply to put: INSERTED 2")) {
            try exchange.receive("USING t\r\nINSERTED 1\r\nINSERTED 2\r\n")
        }
    }
}
