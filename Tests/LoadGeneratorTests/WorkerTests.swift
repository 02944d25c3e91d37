import Testing

@testable import LoadGenerator

@Suite struct WorkerTests {
    private let reserve = "reserve-with-timeout 5\r\n"

    /// A worker whose reserve is outstanding in a run whose puts are under way.
    private func waiting(_ state: RunState) throws -> Exchange {
        var exchange = Exchange(state, Worker(state))
        try exchange.receive("WATCHING 2\r\nWATCHING 1\r\n")
        exchange.proceed(at: 0)
        _ = exchange.heard()
        return exchange
    }

    private func reserved(_ id: Int, _ sequence: Int, at time: Nanoseconds = 0, _ state: RunState) -> String {
        "RESERVED \(id) 60\r\n\(body(sequence, at: time, of: state))\r\n"
    }

    @Test func watchesAllTubesAndNoOther() throws {
        let state = begunState { $0.tubes = 2 }
        var exchange = Exchange(state, Worker(state))
        #expect(exchange.heard() == "watch t-0\r\nwatch t-1\r\nignore default\r\n")
        try exchange.receive("WATCHING 2\r\nWATCHING 3\r\n")
        #expect(!exchange.client.isPrepared)
        try exchange.receive("WATCHING 2\r\n")
        #expect(exchange.client.isPrepared)
        #expect(exchange.heard() == "")
    }

    @Test func reservesAndDeletes() throws {
        let state = begunState(jobs: 2)
        var exchange = try waiting(state)
        try exchange.receive(reserved(31, 1, at: 1000, state), at: 3000)
        #expect(exchange.heard() == "delete 31\r\n")
        #expect(!exchange.client.isAtRest)
        try exchange.receive("DELETED\r\n", at: 9000)
        #expect(exchange.heard() == reserve)
        try exchange.receive(reserved(30, 0, state), at: 10000)
        try exchange.receive("DELETED\r\n", at: 11000)
        #expect(exchange.heard() == "delete 30\r\n", "there are no more jobs")
        #expect((state.ledger.delivered, state.ledger.deleted, state.lastDeleted) == (2, 2, 11000))
        #expect(state.latencies.reserved.summary?.count == 2)
        #expect(abs(state.latencies.delete.summary!.max - 0.006) < 0.0001)
    }

    @Test func repliesMayComeByteByByte() throws {
        let state = begunState(jobs: 2)
        var exchange = try waiting(state)
        for byte in (reserved(4, 0, state) + "DELETED\r\n" + reserved(5, 1, state) + "DELETED\r\n").utf8 {
            try exchange.receive([byte])
        }
        #expect(exchange.heard() == "delete 4\r\n\(reserve)delete 5\r\n")
        #expect(state.ledger.deleted == 2)
    }

    @Test func asksAgainWhileJobsAreOnTheirWay() throws {
        let state = begunState(jobs: 1)
        var exchange = try waiting(state)
        try exchange.receive("TIMED_OUT\r\n")
        #expect(exchange.heard() == reserve)
        // This reserve was sent before the put was acknowledged.
        try state.ledger.acknowledge(0, id: 1)
        try exchange.receive("TIMED_OUT\r\n")
        #expect(exchange.heard() == reserve)
    }

    @Test func aJobThatNobodyGetsIsLost() throws {
        let state = begunState(jobs: 2)
        for sequence in 0..<2 { try state.ledger.acknowledge(sequence, id: UInt64(sequence + 1)) }
        var exchange = try waiting(state)
        // Another worker got a job meanwhile, so no job is known to be lost.
        try state.ledger.deliver(0, id: 1)
        try exchange.receive("TIMED_OUT\r\n")
        #expect(exchange.heard() == reserve)
        let failure = #expect(throws: LoadFailure.self) { try exchange.receive("TIMED_OUT\r\n") }
        #expect("\(failure!)".hasPrefix("1 of 2 jobs are lost"))
    }

    @Test func aDoubledJob() throws {
        let state = begunState()
        var exchange = try waiting(state)
        try exchange.receive(reserved(1, 0, state) + "DELETED\r\n")
        #expect(throws: LoadFailure("job 2 was delivered twice")) { try exchange.receive(reserved(2, 0, state)) }
    }

    @Test func aJobUnderAnotherId() throws {
        let state = begunState()
        try state.ledger.acknowledge(0, id: 6)
        var exchange = try waiting(state)
        #expect(throws: LoadFailure("a job is known as 6 and as 7")) { try exchange.receive(reserved(7, 0, state)) }
    }

    @Test func aCorruptJob() throws {
        let state = begunState()
        let whole = Array(body(3, of: state).utf8)
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 1
            var exchange = try waiting(begunState())
            // Only a change of the time of the put is not noticed, unless it is in the future.
            if 32..<48 ~= index { continue }
            #expect(throws: LoadFailure.self, "byte \(index)") {
                try exchange.receive(Array("RESERVED 9 60\r\n".utf8) + changed + Array("\r\n".utf8))
            }
        }
    }

    @Test func aJobOfAnotherRun() throws {
        let state = begunState()
        let foreign = RunState(state.load, tube: "t", run: 0xabd)
        var exchange = try waiting(state)
        #expect(throws: LoadFailure("job 1 is corrupt: its body is not the one that was put")) {
            try exchange.receive(reserved(1, 0, foreign))
        }
    }

    @Test(arguments: [
        ("RESERVED 1 59", "another size"), ("RESERVED 1 3", "another size"), ("RESERVED 1", "unexpected reply"),
        ("RESERVED 1 99999999999", "announced a body"),
    ])
    func aSizeThatIsWrong(line: String, says: String) throws {
        let state = begunState()
        var exchange = try waiting(state)
        let failure = #expect(throws: LoadFailure.self) {
            try exchange.receive("\(line)\r\n\(body(0, of: state))\r\n")
        }
        #expect("\(failure!)".contains(says))
    }

    @Test func aDeleteThatFindsNothing() throws {
        let state = begunState()
        var exchange = try waiting(state)
        #expect(throws: LoadFailure("unexpected reply to delete: NOT_FOUND")) {
            try exchange.receive(reserved(1, 0, state) + "NOT_FOUND\r\n")
        }
    }

    @Test func atTheEndItTakesNoMore() throws {
        let state = begunState()
        var exchange = try waiting(state)
        state.end()
        try exchange.receive(reserved(1, 0, state))
        #expect(exchange.heard() == "delete 1\r\n")
        try exchange.receive("DELETED\r\n")
        #expect(exchange.heard() == "")
        #expect(exchange.client.isAtRest)
    }
}
