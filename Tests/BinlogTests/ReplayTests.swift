import Testing

@testable import Binlog

@Suite struct ReplayTests {
    @Test(arguments: [Format.version5, .version7])
    func everyFieldOfAJob(version: Format) throws {
        let log = try LogWriter(version)
        log.write(
            7, .delayed, body: "hello", tube: "mail", priority: .max, delay: 4_294_967_295, ttr: 4_294_967_295,
            created: 1500, deadline: 4_294_968_795, counts: (1, 2, 3, 4, 5))
        log.append(zeros)
        let contents = try log.read()
        let job = try #require(contents.job(7))
        #expect(contents.tubes[Int(job.tube)] == "mail")
        #expect(job.state == .delayed)
        #expect((job.priority, job.delay, job.ttr) == (.max, .max, .max))
        #expect((job.createdAt, job.dueAt) == (1500 * 1_000_000_000, 4_294_968_795 * 1_000_000_000))
        #expect((job.reserves, job.timeouts, job.releases, job.buries, job.kicks) == (1, 2, 3, 4, 5))
        #expect(try contents.body(7) == "hello")
        #expect(contents.files.map(\.version) == [Int(version.rawValue)])
        #expect(contents.files.allSatisfy { $0.remark == nil })
    }

    @Test func theLatestRecordWins() throws {
        let log = try LogWriter()
        log.write(1, .ready, body: "one", priority: 5).write(2, .ready, body: "two", priority: 6)
        log.write(1, .delayed, priority: 9, delay: 100, deadline: 2100, counts: (2, 0, 1, 0, 0))
        let contents = try log.read()
        #expect(contents.ids == [1, 2])
        #expect(contents.job(1)?.state == .delayed)
        #expect(contents.job(1)?.priority == 9)
        #expect(contents.job(1)?.releases == 1)
        #expect(try contents.body(1) == "one")
    }

    @Test func theIDOfADeletedJobStillCounts() throws {
        let log = try LogWriter()
        log.write(1, .ready, body: "one").write(2, .ready, body: "two").write(2, .invalid)
        let contents = try log.read()
        #expect(contents.ids == [1])
        #expect(contents.highestID == 2)
    }

    @Test func aShortRecordOfAnUnknownJobIsIgnored() throws {
        let log = try LogWriter()
        log.write(9, .invalid).write(8, .buried).write(1, .ready, body: "one")
        let contents = try log.read()
        #expect(contents.ids == [1])
        #expect(contents.highestID == 9)
        #expect(!contents.isDamaged)
    }

    @Test func aReservedJobIsReady() throws {
        #expect(try LogWriter().write(1, .reserved, body: "one").read().job(1)?.state == .ready)
    }

    @Test func aDelayThatHasPassedIsOver() throws {
        let log = try LogWriter().write(1, .delayed, body: "one", delay: 10, deadline: 1010)
        #expect(try log.read(now: 1009).job(1)?.state == .delayed)
        let job = try #require(try log.read(now: 1010).job(1))
        #expect(job.state == .ready)
        #expect(job.dueAt == 1010 * 1_000_000_000)
    }

    @Test func aTTRIsAtLeastASecond() throws {
        #expect(try LogWriter().write(1, .ready, body: "one", ttr: 0).read().job(1)?.ttr == 1)
    }

    @Test func theBuriedAreInTheOrderOfBurial() throws {
        let log = try LogWriter()
        for id: UInt64 in 1...4 { log.write(id, .ready, body: "job") }
        for id: UInt64 in [3, 1, 4, 2] { log.write(id, .buried) }
        #expect(try log.read().buried == [3, 1, 4, 2])
        log.write(3, .ready).write(3, .buried)
        #expect(try log.read().buried == [1, 4, 2, 3], "kicked and buried again")
        log.write(1, .buried)
        #expect(try log.read().buried == [4, 2, 3, 1], "reserved by its id and buried again")
    }

    @Test func movingABuriedJobToANewerFileKeepsItsTurn() throws {
        let log = try LogWriter()
        for id: UInt64 in 1...3 { log.write(id, .ready, body: "job") }
        for id: UInt64 in 1...3 { log.write(id, .buried) }
        log.file = 2
        log.write(1, .buried, body: "job")
        #expect(try log.read().buried == [1, 2, 3])
        log.write(2, .ready, body: "job").write(2, .buried, body: "job")
        #expect(try log.read().buried == [1, 3, 2])
    }

    @Test func theOrderOfBuriedJobsWhoseFirstFileIsGone() throws {
        let log = try LogWriter()
        log.file = 5
        log.write(9, .ready, body: "job").write(9, .buried)
        log.write(2, .buried).write(3, .buried).write(3, .ready)
        log.write(8, .ready, body: "job").write(8, .buried)
        // Moved here in any order. The records that buried 1, 3 and 4 were in a file that is gone.
        for id: UInt64 in 1...4 { log.write(id, .buried, body: "job", deadline: [0, 1075, 1000, 1070, 1072][Int(id)]) }
        #expect(try log.read().buried == [3, 4, 1, 9, 2, 8])
        #expect(try Set(log.read().jobs.map(\.buryOrder)) == [1, 2, 3, 4, 5, 6])
    }

    @Test func filesAreReadInTheOrderOfTheirNumbers() throws {
        let log = try LogWriter()
        for number in 8...12 {
            log.file = number
            log.write(UInt64(number), .ready, body: "job \(number)", size: 5)
        }
        log.write(9, .invalid)
        let contents = try log.read()
        #expect(contents.ids == [8, 10, 11, 12])
        #expect(contents.files.map(\.number) == Array(8...12))
        #expect(try contents.body(10) == "job 10")
    }

    @Test func anIDMayComeAgain() throws {
        // beanstalkd counts from 1 again when all its files are gone.
        let log = try LogWriter()
        log.write(1, .ready, body: "old").write(1, .invalid).write(1, .ready, body: "another", tube: "b")
        #expect(try log.read().body(1) == "another")
    }

    @Test func bodiesOfAnySizeAndByte() throws {
        let long = [String(repeating: "x", count: 65_535), String(repeating: "\0", count: 3 << 20)]
        let bodies = ["", "\r\n", "\0\0\0"] + long
        let log = try LogWriter()
        for (index, body) in bodies.enumerated() { log.write(UInt64(index + 1), .ready, body: body) }
        let contents = try log.read()
        #expect(!contents.isDamaged)
        for (index, body) in bodies.enumerated() { #expect(try contents.body(UInt64(index + 1)) == body) }
    }
}
