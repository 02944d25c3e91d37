import Testing

@testable import LoadGenerator

@Suite struct OtherClientTests {
    @Test func statisticsInTurn() throws {
        let state = begunState()
        let reader = StatsReader(state)
        var exchange = Exchange(state, reader)
        exchange.proceed(at: 10_000_000)
        #expect(exchange.heard() == "stats\r\n")
        #expect(reader.nextTime == nil)
        exchange.proceed(at: 30_000_000)
        #expect(exchange.heard() == "")
        for byte in "OK 6\r\n---\na\n\r\n".utf8 { try exchange.receive([byte], at: 12_000_000) }
        #expect(reader.nextTime == 20_000_000)
        exchange.proceed(at: 20_000_000)
        #expect(exchange.heard() == "stats-tube t\r\n")
        try exchange.receive("OK 0\r\n\r\n", at: 21_000_000)
        #expect(abs(state.latencies.stats.summary!.max - 2) < 0.01)
        #expect(abs(state.latencies.statsTube.summary!.max - 1) < 0.01)
    }

    @Test(arguments: [
        ("---\npid: 3\nversion: \"1.12\"\nid: 4\n", "1.12"), ("---\nversion: 0.1.0\n", "0.1.0"), ("---\n", "unknown"),
        ("---\nversion: \"1.13\"\nbeanrow-version: \"0.1.0\"\n", "0.1.0"),
    ])
    func theVersion(body: String, version: String) throws {
        let reader = VersionReader()
        var exchange = Exchange(begunState(), reader)
        #expect(exchange.heard() == "stats\r\n")
        try exchange.receive("OK \(body.utf8.count)\r\n\(body)\r\n")
        #expect(reader.version == version)
    }

    @Test func aSilentConnectionHearsNothing() {
        var exchange = Exchange(begunState(), Idler())
        #expect(exchange.heard() == "")
        #expect(throws: LoadFailure("unexpected reply to nothing: ?BAD")) { try exchange.receive("\u{7}BAD\r\n") }
    }

    @Test func aLineThatDoesNotEnd() {
        var exchange = Exchange(begunState(), Idler())
        #expect(throws: LoadFailure("the server sent a line that does not end")) {
            try exchange.receive(String(repeating: "x", count: 5000))
        }
    }

    @Test func leftOverJobsAreDeleted() throws {
        let state = begunState(jobs: 1200)
        for sequence in 0..<1200 { try state.ledger.acknowledge(sequence, id: UInt64(sequence + 1)) }
        try state.ledger.deliver(7, id: 8)
        state.ledger.delete(7)
        #expect(state.ledger.leftOver.count == 1199)
        let eraser = Eraser(state, state.ledger.leftOver)
        var exchange = Exchange(state, eraser)
        for count in [500, 500, 199] {
            #expect(exchange.heard().split(separator: "\r\n").count == count)
            #expect(!eraser.isAtRest)
            let replies = repeatElement("DELETED\r\n", count: count - 1).joined() + "NOT_FOUND\r\n"
            try exchange.receive(replies)
        }
        #expect(eraser.isAtRest)
        #expect(eraser.missing == [500, 1000, 1199])
        #expect(state.ledger.leftOver == [500, 1000, 1199])
    }
}
