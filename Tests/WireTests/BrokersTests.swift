import Foundation
import TestKit
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Two brokers on one database: a client may use either.
@Suite(.beanrowOnly) struct BrokersTests {
    private let (a, b): (BrokerProcess, BrokerProcess)

    init() throws {
        a = try BrokerProcess.start()
        b = try BrokerProcess(a.configuration)
        // Each knows of the other.
        let schema = a.configuration.schema
        try eventually("nobody is the sole one") {
            try TestPostgres.shared().psql("select count(*) from \(schema).broker where is_sole") == "0"
        }
    }

    private func put(_ body: String, _ arguments: String = "0 0 60", through client: WireClient) throws -> UInt64 {
        try client.send("put \(arguments) \(body.utf8.count)\r\n\(body)\r\n")
        return try client.expectInserted()
    }

    /// By the poll alone each job would take half a second on average.
    @Test func whatIsPutAtOneReachesAWorkerThatWaitsAtTheOther() throws {
        let (producer, worker) = (try a.connect(), try b.connect())
        try producer.send("use t\r\n")
        try producer.expect("USING t")
        try worker.send("watch t\r\nreserve\r\n")
        try worker.expect("WATCHING 2")
        try b.waitUntil("current-waiting", is: 1)
        let rounds = try (1...100).map { n in
            let start = ContinuousClock.now
            let id = try put("job \(n)", through: producer)
            try worker.expectJob(id, "job \(n)")
            try worker.send("delete \(id)\r\nreserve\r\n")
            try worker.expect("DELETED")
            return ContinuousClock.now - start
        }
        #expect(rounds.median < .milliseconds(250))
    }

    @Test func eachCommandWorksOnWhatWasPutAtTheOther() throws {
        let (one, other) = (try a.connect(), try b.connect())
        let id = try put("x", "5 0 60", through: one)
        try eventually("the other knows the tube, which is new") {
            try other.send("peek-ready\r\n")
            return try other.readLine() != "NOT_FOUND"
        }
        _ = try other.readBody(1)
        try other.send("peek \(id)\r\npeek-ready\r\nreserve\r\n")
        try other.expectJob(id, "x", "FOUND")
        try other.expectJob(id, "x", "FOUND")
        try other.expectJob(id, "x")
        try one.send("delete \(id)\r\n")
        try one.expect("NOT_FOUND")
        try eventually("the reservation is told") {
            try one.state(of: id) == "reserved"
        }
        try other.send("bury \(id) 7\r\n")
        try other.expect("BURIED")
        try one.send("peek-buried\r\nkick 10\r\n")
        try one.expectJob(id, "x", "FOUND")
        try one.expect("KICKED 1")
        try other.send("reserve\r\nrelease \(id) 9 3600\r\n")
        try other.expectJob(id, "x")
        try other.expect("RELEASED")
        try one.send("peek-delayed\r\nkick-job \(id)\r\nreserve-job \(id)\r\n")
        try one.expectJob(id, "x", "FOUND")
        try one.expect("KICKED")
        try one.expectJob(id, "x")
        try one.send("release \(id) 9 0\r\n")
        try one.expect("RELEASED")
        try other.send("delete \(id)\r\npeek \(id)\r\n")
        try other.expect("DELETED")
        try other.expect("NOT_FOUND")
        try one.send("peek \(id)\r\n")
        try one.expect("NOT_FOUND")
    }

    @Test func bothCountTheSameJobs() throws {
        let (one, other) = (try a.connect(), try b.connect())
        for _ in 1...3 { _ = try put("r", through: one) }
        for _ in 1...2 { _ = try put("u", "2000 0 60", through: other) }
        _ = try put("d", "0 3600 60", through: other)
        try other.send("reserve\r\nbury 1 0\r\nreserve\r\n")
        try other.expectJob(1, "r")
        try other.expect("BURIED")
        try other.expectJob(2, "r")
        let expected = [
            "current-jobs-urgent": "1", "current-jobs-ready": "3", "current-jobs-reserved": "1",
            "current-jobs-delayed": "1", "current-jobs-buried": "1",
        ]
        for client in [one, other] {
            for command in ["stats", "stats-tube default"] {
                try eventually("\(command) counts them") {
                    try client.send("\(command)\r\n")
                    let stats = try client.expectOK()
                    return expected.allSatisfy { stats[$0.key] == $0.value }
                }
            }
        }
    }

    @Test func aPauseHoldsAtBothUntilItIsEndedAtEither() throws {
        let (one, other) = (try a.connect(), try b.connect())
        _ = try put("x", through: one)
        try one.send("pause-tube default 600\r\n")
        try one.expect("PAUSED")
        try eventually("the other has heard of the pause") {
            try other.send("stats-tube default\r\n")
            return try other.expectOK().number("pause") == 600
        }
        try other.send("reserve-with-timeout 0\r\n")
        try other.expect("TIMED_OUT")
        try other.send("pause-tube default 0\r\n")
        try other.expect("PAUSED")
        try one.send("reserve\r\n")
        try one.expectJob(1, "x")
    }

    @Test func whatADeadBrokerHeldIsDeliveredByTheOther() throws {
        let (holder, worker) = (try a.connect(), try b.connect())
        let id = try put("x", through: holder)
        try holder.send("reserve\r\n")
        try holder.expectJob(id, "x")
        try worker.send("reserve\r\n")
        a.kill9()
        try worker.expectJob(id, "x")
        try worker.send("delete \(id)\r\n")
        try worker.expect("DELETED")
    }

    /// A client with an open connection still holds its jobs: the broker closes the connection before a job is given out
    /// again.
    @Test func aBrokerThatEndsClosesConnectionsBeforeTheirJobsAreGivenOut() throws {
        let producer = try b.connect()
        var holders: [UInt64: WireClient] = [:]
        for n in 1...40 {
            let holder = try a.connect()
            let id = try put("\(n)", "\(n) 0 60", through: producer)
            try holder.send("reserve\r\n")
            try holder.expectJob(id, "\(n)")
            holder.timeout = 0
            holders[id] = holder
        }
        let worker = try b.connect()
        for _ in holders { try worker.send("reserve\r\n") }
        try b.waitUntil("current-waiting", is: 1)
        a.signal(SIGTERM)
        for _ in holders { try holders[try worker.expectJob().id]?.expectEOF() }
        #expect(a.waitForExit() == 0)
    }

    /// It sleeps until the other has declared it dead, and holds nothing when it wakes up.
    @Test("invariant 2: a frozen broker can neither give out nor complete what others hold")
    func aFrozenBroker() throws {
        try unlessTheOtherStalls { a, b in
            let (holder, idle, worker) = (try a.connect(), try a.connect(), try b.connect())
            let (first, second) = (try put("first", through: holder), try put("second", "9 0 60", through: holder))
            try holder.send("reserve\r\n")
            try holder.expectJob(first, "first")
            a.signal(SIGSTOP)
            try worker.send("reserve\r\nreserve\r\n")
            try #require(Set([try worker.expectJob().id, try worker.expectJob().id]) == [first, second])
            try holder.send("delete \(first)\r\n")
            try idle.send("reserve-with-timeout 0\r\n")
            a.signal(SIGCONT)
            // The client no longer holds its job: its connection is closed without an answer.
            try holder.expectEOF()
            try idle.expect("TIMED_OUT")
            try worker.send("touch \(first)\r\ndelete \(first)\r\ndelete \(second)\r\n")
            try worker.expect("TOUCHED")
            try worker.expect("DELETED")
            try worker.expect("DELETED")
            // The broker continues with a new epoch.
            let id = try put("third", through: idle)
            try idle.send("reserve\r\n")
            try idle.expectJob(id, "third")
        }
    }

    /// A broker that the machine does not run for seconds is rightly declared dead. If that happens to `b`, too, the test
    /// proves nothing and is repeated.
    private func unlessTheOtherStalls(_ story: (_ a: BrokerProcess, _ b: BrokerProcess) throws -> Void) throws {
        do {
            try story(a, b)
        } catch  where a.stderr.contains("declared brokers dead") {
            let again = try BrokersTests()
            try story(again.a, again.b)
        }
    }

    @Test func theThirdAndTheFourthAreEqualsToo() throws {
        let more = [try BrokerProcess(a.configuration), try BrokerProcess(a.configuration)]
        let producer = try a.connect()
        let workers = try ([b] + more).map { try $0.connect() }
        for worker in workers { try worker.send("reserve\r\n") }
        var bodies = Set<String>()
        for n in 1...3 { _ = try put("\(n)", through: producer) }
        for worker in workers {
            bodies.insert(try worker.expectJob().body)
        }
        #expect(bodies == ["1", "2", "3"])
    }
}

extension WireClient {
    fileprivate func expectJob(_ id: UInt64, _ body: String, _ word: String = "RESERVED", line: Int = #line) throws {
        let job = try expectJob(word, line: line)
        guard job == (id, body) else { throw WireMismatch("expected \(id) \(body), got \(job)", line: line) }
    }
}
