import Testing

@testable import LoadGenerator

/// Workers that drain the jobs of an earlier run.
@Suite struct DrainTests {
    private let reserve = "reserve-with-timeout 5\r\n"

    private func draining(jobs: Int) -> RunState {
        begunState(jobs: jobs) { ($0.producers, $0.tube, $0.drains) = (0, "t", true) }
    }

    /// The earlier run, which has put more jobs than are drained.
    private let earlier = {
        let state = begunState(jobs: 1000)
        return RunState(state.load, tube: "t", run: 0xdef)
    }()

    private func begun(_ state: RunState) throws -> Exchange {
        var exchange = Exchange(state, Worker(state))
        try exchange.receive("WATCHING 2\r\nWATCHING 1\r\n")
        _ = exchange.heard()
        exchange.proceed(at: 0)
        return exchange
    }

    private func reserved(_ id: Int, _ sequence: Int, of run: RunState? = nil) -> String {
        "RESERVED \(id) 60\r\n\(body(sequence, at: 5_000_000_000, of: run ?? earlier))\r\n"
    }

    @Test func takesJobsOfAnyNumberAndAge() throws {
        let state = draining(jobs: 2)
        var exchange = try begun(state)
        try exchange.receive(reserved(31, 999) + "DELETED\r\n" + reserved(32, 4) + "DELETED\r\n", at: 10)
        #expect(exchange.heard() == "\(reserve)delete 31\r\n\(reserve)delete 32\r\n", "there are no more to take")
        #expect((state.ledger.delivered, state.ledger.deleted, state.lastDeleted) == (2, 2, 10))
        #expect(state.latencies.reserved.summary == nil)
        #expect(state.latencies.delete.summary?.count == 2)
    }

    @Test func asksForNoMoreThanItsNumberOfJobs() throws {
        let state = draining(jobs: 2)
        var exchanges = [try begun(state), try begun(state), try begun(state)]
        #expect([exchanges[0].heard(), exchanges[1].heard(), exchanges[2].heard()] == [reserve, reserve, ""])
        try exchanges[0].receive(reserved(1, 0) + "DELETED\r\n")
        #expect(exchanges[0].heard() == "delete 1\r\n")
        try exchanges[1].receive(reserved(2, 1) + "DELETED\r\n")
        #expect(exchanges[1].heard() == "delete 2\r\n")
    }

    @Test func aTubeThatHasTooFew() throws {
        var exchange = try begun(draining(jobs: 2))
        try exchange.receive(reserved(1, 0) + "DELETED\r\n")
        #expect(throws: LoadFailure("1 of 2 jobs are missing: no worker got one within 5 s")) {
            try exchange.receive("TIMED_OUT\r\n")
        }
    }

    @Test func aDoubledJob() throws {
        var exchange = try begun(draining(jobs: 3))
        try exchange.receive(reserved(1, 7) + "DELETED\r\n")
        #expect(throws: LoadFailure("job 2 was delivered twice")) { try exchange.receive(reserved(2, 7)) }
    }

    @Test func aChangedJob() throws {
        var exchange = try begun(draining(jobs: 3))
        let failure = #expect(throws: LoadFailure.self) {
            try exchange.receive("RESERVED 1 60\r\n\(body(7, of: earlier).dropLast())?\r\n")
        }
        #expect("\(failure!)".contains("corrupt"))
    }

    @Test func jobsOfTwoRuns() throws {
        let state = draining(jobs: 3)
        var exchange = try begun(state)
        try exchange.receive(reserved(1, 7) + "DELETED\r\n")
        let failure = #expect(throws: LoadFailure.self) { try exchange.receive(reserved(2, 8, of: state)) }
        #expect("\(failure!)".contains("another run"))
    }
}
