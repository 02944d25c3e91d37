import TestKit
import Testing

/// What SQL does, seen by clients of a broker.
@Suite("SQL beside a broker") struct BesideBrokerTests {
    let database: SQLDatabase
    let broker: BrokerProcess
    let sql: SQLSession
    let client: WireClient

    init() throws { (database, broker, sql, client) = try SQLDatabase.besideBroker() }

    /// A client that waits for a job of tube `t`.
    private func waitingWorker() throws -> WireClient {
        let worker = try broker.connect()
        try worker.enter("t")
        try worker.send("reserve\r\n")
        try broker.waitUntil("current-waiting", is: 1)
        return worker
    }

    /// By the poll alone, each round would take half a second on average.
    @Test func aPutWakesAWorkerThatWaits() throws {
        let worker = try waitingWorker()
        let rounds = try (1...50).map { n in
            let start = ContinuousClock.now
            let id = try sql.id("select beanrow.put('t', 'job \(n)')")
            #expect(try worker.expectJob() == (id, "job \(n)"))
            try worker.send("delete \(id)\r\nreserve\r\n")
            try worker.expect("DELETED")
            return ContinuousClock.now - start
        }
        #expect(rounds.median < .milliseconds(300))
    }

    @Test func aJobOfATransactionThatIsRolledBackNeverComes() throws {
        let worker = try waitingWorker()
        try sql.run("begin")
        try sql.value("select beanrow.put('t', 'undone', 0)")
        try sql.run("rollback")
        let id = try sql.id("select beanrow.put('t', 'done', 1)")
        #expect(try worker.expectJob() == (id, "done"))
        try worker.send("delete \(id)\r\nreserve-with-timeout 0\r\n")
        try worker.expect("DELETED")
        try worker.expect("TIMED_OUT")
    }

    /// Each transaction puts its job seconds before it commits, and the broker must still learn of it then.
    @Test func aLongTransactionWakesTheWorkerWhenItCommits() throws {
        // A transaction that makes a tube locks its name, and others wait for its end.
        try sql.value("select beanrow.put('t', 'x', delay => '1 hour')")
        let worker = try waitingWorker()
        let sessions = try (0..<30).map { _ in try database.session() }
        let ids = try sessions.enumerated().map { n, session in
            try session.run("begin")
            return try session.id("select beanrow.put('t', '\(n)')")
        }
        try eventually("seconds have passed") {
            try client.send("stats\r\n")
            return try client.expectOK().number("uptime") >= 4
        }
        let rounds = try zip(sessions, ids).map { session, id in
            let start = ContinuousClock.now
            try session.run("commit")
            #expect(try worker.expectJob().id == id)
            try worker.send("delete \(id)\r\nreserve\r\n")
            try worker.expect("DELETED")
            return ContinuousClock.now - start
        }
        #expect(rounds.median < .milliseconds(300))
    }

    /// Rows and counts are compared in one snapshot, so they agree whatever is under way.
    @Test func countingAnewWhileOthersWork() throws {
        let (producer, counter) = (try database.session(), try database.session())
        let broker = broker
        try onThreads(4, within: patience) { number in
            switch number {
            case 0: for n in 1...200 { try producer.value("select beanrow.put('t', '\(n)')") }
            case 1:
                for _ in 1...100 {
                    let found = try counter.value("select count(*) from beanrow.recount()")
                    guard found == "0" else { throw WireMismatch("\(found) tubes are said to be wrong") }
                }
            default:
                let client = try broker.connect()
                try client.enter("t")
                for n in 1...200 {
                    try client.put("\(n)")
                    let job = try client.reserve()
                    try client.send("\(n % 2 == 0 ? "delete \(job.id)" : "bury \(job.id) 0")\r\n")
                    try client.expect(n % 2 == 0 ? "DELETED" : "BURIED")
                }
            }
        }
        #expect(try sql.value("select count(*) from beanrow.recount()") == "0")
        #expect(
            try sql.value(
                """
                select (select count(*) from beanrow.job) - ready - reserved - delayed - buried
                from beanrow.tubes where name = 't'
                """)
                == "0")
        try eventually("the broker knows it all") { try client.tube("t", "current-jobs-buried") == [200] }
    }

    @Test func whatIsMoreUrgentGoesBeforeWhatTheBrokerHasInMind() throws {
        let count = 4000
        for n in 1...count { try client.send("put 1000 0 60 1\r\n\(n % 10)\r\n") }
        for _ in 1...count { try client.expectInserted() }
        let first = try client.reserve()
        let id = try sql.id("select beanrow.put('t', 'urgent', 1)")
        var last: UInt64 = 0
        // The client gets it as soon as the broker knows of it, long before the others are done.
        try eventually("the urgent one is next") {
            let job = try client.reserve()
            #expect(job.id == id || job.id > last)
            last = job.id
            try client.send("delete \(job.id)\r\n")
            try client.expect("DELETED")
            return job.id == id
        }
        #expect(try client.tube("t", "current-jobs-ready")[0] > count / 2)
        try client.send("delete \(first.id)\r\n")
        try client.expect("DELETED")
    }

    @Test func aKickWakesAClientThatWaits() throws {
        let worker = try broker.connect()
        try worker.enter("t")
        let id = try client.put("x")
        #expect(try worker.reserve().id == id)
        try worker.send("bury \(id) 7\r\nreserve\r\n")
        try worker.expect("BURIED")
        #expect(try sql.value("select beanrow.kick('t', 10)") == "1")
        #expect(try worker.expectJob() == (id, "x"))
        try worker.send("release \(id) 7 3600\r\nreserve\r\n")
        try worker.expect("RELEASED")
        #expect(try sql.value("select beanrow.kick_job(\(id))") == "true")
        #expect(try worker.expectJob() == (id, "x"))
    }

    @Test func clientsSeeAPauseAndItsEnd() throws {
        let id = try client.put("x")
        try sql.value("select beanrow.pause('t', '1 hour')")
        try eventually("the broker knows of the pause") { try client.tube("t", "pause") == [3600] }
        try client.send("reserve-with-timeout 0\r\n")
        try client.expect("TIMED_OUT")
        let worker = try waitingWorker()
        try sql.value("select beanrow.unpause('t')")
        #expect(try worker.expectJob().id == id)
        #expect(try client.tube("t", "pause", "pause-time-left") == [0, 0])
    }

    @Test func aLeaseThatRunsOutComesToAClientThatWaits() throws {
        let id = try client.put("x")
        #expect(try sql.list("select id from beanrow.reserve('{t}', '1 hour')") == ["\(id)"])
        try client.send("stats-job \(id)\r\n")
        try client.expectOK().expect(["state": "reserved"])
        let worker = try waitingWorker()
        try sql.run(
            """
            update beanrow.job set reserved_until = now() where lease_epoch < 0;
            update beanrow.sql_lease set until = now()
            """)
        #expect(try worker.expectJob() == (id, "x"))
        try worker.send("stats-job \(id)\r\n")
        try worker.expectOK().expect(["state": "reserved", "timeouts": "1", "reserves": "2"])
        #expect(sql.refusal("select beanrow.finish(array[\(id)])") == "BR008")
        try worker.send("delete \(id)\r\n")
        try worker.expect("DELETED")
    }
}
