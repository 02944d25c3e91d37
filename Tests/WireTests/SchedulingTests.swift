import TestKit
import Testing

/// Order, time, kick and pause.
@Suite struct SchedulingTests {
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        server = try BrokerProcess.start()
        client = try server.connect()
    }

    private func put(_ arguments: String, as id: UInt64) throws {
        try client.send("put \(arguments) 1\r\nx\r\n")
        try client.expect("INSERTED \(id)")
    }

    private func reserve(_ id: UInt64) throws {
        try client.send("reserve-with-timeout 20\r\n")
        try client.expect("RESERVED \(id) 1")
        try client.expect("x")
    }

    // MARK: Order

    /// The job becomes ready during the pause; the pause and the wait end at the same time.
    @Test func aWaitAsLongAsAPauseGetsTheJob() throws {
        try client.send("put 1 1 0 1\r\na\r\n")
        try client.expect("INSERTED 1")
        try client.send("pause-tube default 2\r\nreserve-with-timeout 2\r\n")
        try client.expect("PAUSED")
        try client.expectPrefix("RESERVED 1 ")
    }

    @Test func priorityThenIDOverSeveralTubes() throws {
        for (index, job) in [("a", 5), ("b", 3), ("a", 3), ("c", 4_294_967_295), ("b", 0), ("c", 5)].enumerated() {
            try client.send("use \(job.0)\r\n")
            try client.expect("USING \(job.0)")
            try put("\(job.1) 0 100", as: UInt64(index + 1))
        }
        try client.send("watch a\r\nwatch b\r\nwatch c\r\n")
        for count in 2...4 {
            try client.expect("WATCHING \(count)")
        }
        for id: UInt64 in [5, 2, 3, 1, 6, 4] {
            try reserve(id)
        }
    }

    @Test func aReleasedJobKeepsItsPlaceAmongEquals() throws {
        for id: UInt64 in 1...3 {
            try put("10 0 100", as: id)
        }
        try reserve(1)
        try client.send("release 1 10 0\r\n")
        try client.expect("RELEASED")
        try reserve(1)
        try client.send("release 1 11 0\r\n")
        try client.expect("RELEASED")
        for id: UInt64 in [2, 3, 1] {
            try reserve(id)
        }
    }

    @Test func kickPrefersBuriedInTheOrderOfTheirBurial() throws {
        for id: UInt64 in 1...3 {
            try put("\(id) 0 100", as: id)
        }
        for id: UInt64 in 1...3 {
            try reserve(id)
        }
        for id in [2, 3, 1] {
            try client.send("bury \(id) 9\r\n")
            try client.expect("BURIED")
        }
        try put("0 100 100", as: 4)
        try put("0 50 100", as: 5)
        try client.send("peek-buried\r\n")
        try client.expect("FOUND 2 1")
        try client.expect("x")
        try client.send("kick 2\r\n")
        try client.expect("KICKED 2")
        #expect(try client.state(of: 1) == "buried")
        // While a job is buried no delayed one is kicked, whatever the bound.
        try client.send("kick 100\r\n")
        try client.expect("KICKED 1")
        try client.send("kick 1\r\n")
        try client.expect("KICKED 1")
        #expect(try client.state(of: 5) == "ready")
        #expect(try client.state(of: 4) == "delayed")
        try client.send("stats-job 2\r\n")
        try client.expectOK().expect(["pri": "9", "buries": "1", "kicks": "1", "reserves": "1"])
    }

    // MARK: Time

    @Test func deadlineSoonAtOnceWithTTROne() throws {
        try put("0 0 1", as: 1)
        try client.send("reserve\r\nreserve\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("x")
        try client.expect("DEADLINE_SOON")
    }

    @Test func deadlineSoonInterruptsAWait() throws {
        try put("0 0 2", as: 1)
        // In one packet: a slow client would ask after the time to run.
        try client.send("reserve\r\nreserve\r\nstats-job 1\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("x")
        try client.expect("DEADLINE_SOON")
        try client.expectOK().expect(["state": "reserved"])
    }

    @Test func aReadyJobComesBeforeDeadlineSoon() throws {
        try put("0 0 1", as: 1)
        try put("0 0 100", as: 2)
        try client.send("reserve\r\nreserve\r\n")
        try client.expect("RESERVED 1 1")
        try client.expect("x")
        try client.expect("RESERVED 2 1")
        try client.expect("x")
    }

    @Test func expiryGivesTheJobToAWaiterAndIsCounted() throws {
        try put("3 0 1", as: 1)
        try reserve(1)
        let waiter = try server.connect()
        try withExpiryOfASilentHolder {
            // In one packet: the second reservation runs out as soon as the first did.
            try waiter.send("reserve-with-timeout 20\r\nstats-job 1\r\nstats\r\n")
            try waiter.expect("RESERVED 1 1")
            try waiter.expect("x")
            try waiter.expectOK().expect(["state": "reserved", "pri": "3", "timeouts": "1", "reserves": "2"])
            try waiter.expectOK().expect(["job-timeouts": "1"])
            try client.send("touch 1\r\n")
            try client.expect("NOT_FOUND")
        }
    }

    @Test func touchStartsTheTimeAgain() throws {
        try put("0 0 30", as: 1)
        try reserve(1)
        try eventually("the time has begun to run") {
            try client.send("stats-job 1\r\n")
            return try client.expectOK().number("time-left") < 29
        }
        try client.send("touch 1\r\nstats-job 1\r\n")
        try client.expect("TOUCHED")
        let left = try client.expectOK().number("time-left")
        #expect(left >= 29)
    }

    @Test func delayedJobsComeInTheOrderOfTheirTime() throws {
        let start = ContinuousClock.now
        try put("0 5 100", as: 1)
        try put("9 1 100", as: 2)
        try reserve(2)
        #expect(ContinuousClock.now - start >= .seconds(1))
        try reserve(1)
        #expect(ContinuousClock.now - start >= .seconds(5))
    }

    @Test func releaseWithADelay() throws {
        try put("0 0 100", as: 1)
        try reserve(1)
        try client.send("release 1 5 3\r\nstats-job 1\r\n")
        try client.expect("RELEASED")
        try client.expectOK().expect(["state": "delayed", "pri": "5", "delay": "3", "releases": "1"])
        try reserve(1)
    }

    // MARK: Reserve by id

    @Test func reserveJobOfEachState() throws {
        try put("0 0 100", as: 1)
        try put("0 100 100", as: 2)
        try put("0 0 100", as: 3)
        try client.send("reserve-job 3\r\nbury 3 0\r\n")
        try client.expect("RESERVED 3 1")
        try client.expect("x")
        try client.expect("BURIED")
        let other = try server.connect()
        for id in [1, 2, 3] {
            try other.send("reserve-job \(id)\r\n")
            try other.expect("RESERVED \(id) 1")
            try other.expect("x")
            try client.send("reserve-job \(id)\r\n")
            try client.expect("NOT_FOUND")
        }
    }

    // MARK: Pause

    @Test func pauseHoldsBackReserveAlone() throws {
        try put("0 0 100", as: 1)
        try client.send("pause-tube default 1000\r\n")
        try client.expect("PAUSED")
        try client.send("stats-tube default\r\n")
        let stats = try client.expectOK()
        try stats.expect(["pause": "1000", "cmd-pause-tube": "1"])
        #expect((900...1000).contains(try stats.number("pause-time-left")))
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
        try put("0 0 100", as: 2)
        try client.send("peek-ready\r\ndelete 2\r\nreserve-job 1\r\nbury 1 0\r\nkick 1\r\n")
        for line in ["FOUND 1 1", "x", "DELETED", "RESERVED 1 1", "x", "BURIED", "KICKED 1"] {
            try client.expect(line)
        }
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
        try client.send("pause-tube default 0\r\nstats-tube default\r\n")
        try client.expect("PAUSED")
        try client.expectOK().expect(["pause": "0", "pause-time-left": "0"])
        try reserve(1)
    }

    @Test func otherTubesGoOnDuringAPause() throws {
        try put("0 0 100", as: 1)
        try client.send("use t\r\nwatch t\r\npause-tube default 1000\r\n")
        try client.expect("USING t")
        try client.expect("WATCHING 2")
        try client.expect("PAUSED")
        try put("9 0 100", as: 2)
        try reserve(2)
    }

    @Test func ownershipIsPerConnection() throws {
        try put("0 0 100", as: 1)
        try reserve(1)
        let other = try server.connect()
        for command in ["release 1 0 0", "bury 1 0", "touch 1", "delete 1", "kick-job 1", "reserve-job 1"] {
            try other.send("\(command)\r\n")
            try other.expect("NOT_FOUND")
        }
        try other.send("peek 1\r\n")
        try other.expect("FOUND 1 1")
        try other.expect("x")
        try client.send("release 1 0 100\r\n")
        try client.expect("RELEASED")
        // Any client may delete delayed and buried jobs.
        try other.send("delete 1\r\n")
        try other.expect("DELETED")
    }
}
