import TestKit
import Testing

/// Rows that no broker writes, and rows that somebody has deleted: clients get answers, and no broker ends.
@Suite(.beanrowOnly) struct BadRowTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess
    private let client: WireClient

    init() throws {
        postgres = try TestPostgres.shared()
        server = try BrokerProcess.start(postgres: postgres)
        client = try server.connect()
    }

    @discardableResult
    private func psql(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(server.configuration.schema); \(sql)")
    }

    private func ask(_ command: String) throws -> String {
        try client.send(command + "\r\n")
        return try client.readLine()
    }

    private func put(_ body: String) throws -> UInt64 {
        try client.send("put 5 0 60 \(body.utf8.count)\r\n\(body)\r\n")
        return try client.expectInserted()
    }

    static let flaws = [
        "state = 7", "priority = -1", "priority = 5000000000", "ttr = -1", "ttr = 5000000000", "delay = -5",
        "reserves = -1", "timeouts = -1", "releases = -1", "buries = -1", "kicks = -1", "id = -id",
        "created_at = 'infinity'", "created_at = '-infinity'", "due_at = 'infinity'", "due_at = '-infinity'",
    ]

    /// The bad job would be the first: it is skipped, named once in the log, and can be deleted.
    @Test(arguments: flaws) func aRowThatIsNoneOfAJob(_ flaw: String) throws {
        try passOver(flaw, at: server)
    }

    /// Beside other brokers jobs are read and leased one by one.
    @Test(arguments: ["priority = 5000000000", "priority = -1", "ttr = -1", "created_at = 'infinity'", "id = -id"])
    func alsoBesideOthers(_ flaw: String) throws {
        let other = try BrokerProcess(server.configuration)
        try eventually("nobody is the sole one") { try psql("select count(*) from broker where is_sole") == "0" }
        try passOver(flaw, at: other)
    }

    private func passOver(_ flaw: String, at broker: BrokerProcess) throws {
        let worker = try broker.connect()
        try worker.send("watch t\r\nignore default\r\nuse t\r\n")
        for reply in ["WATCHING 2", "WATCHING 1", "USING t"] { try worker.expect(reply) }
        let rows = try psql("select put('t', name, 5) from unnest(array['bad', 'good']) as name").split(separator: "\n")
        let (bad, good) = (try #require(UInt64(rows[0])), try #require(UInt64(rows[1])))
        let isFound = try psql("update job set \(flaw) where id = \(bad) returning id") == "\(bad)"
        try worker.send("reserve\r\n")
        #expect(try worker.expectJob() == (good, "good"))
        try worker.send("reserve-with-timeout 2\r\npeek-ready\r\n")
        try worker.expect("TIMED_OUT")
        #expect(["NOT_FOUND", "INTERNAL_ERROR"].contains(try worker.readLine()))
        let named = broker.stderr.split(separator: "\n").filter { $0.contains("none of a job") }
        // A refill never reads a row that its index condition leaves out.
        let isMet = !["state = 7", "priority = -1", "id = -id"].contains(flaw)
        #expect(named.count <= 1 && (named.count == 1 || !isMet), "\(named)")
        guard isFound else { return }
        try worker.send("peek \(bad)\r\nstats-job \(bad)\r\nreserve-job \(bad)\r\nkick-job \(bad)\r\n")
        for _ in 1...3 { try worker.expect("INTERNAL_ERROR") }
        try worker.expect("NOT_FOUND")
        try worker.send("delete \(bad)\r\nstats-job \(bad)\r\n")
        try worker.expect("DELETED")
        try worker.expect("NOT_FOUND")
    }

    @Test func aJobWhoseTubeIsNone() throws {
        let id = try put("lost")
        try psql("update job set tube_id = 100000 where id = \(id)")
        let broker = try server.restarted()
        let client = try broker.connect()
        try client.send("stats-job \(id)\r\nreserve-job \(id)\r\nreserve-with-timeout 0\r\ndelete \(id)\r\n")
        try client.expect("INTERNAL_ERROR")
        try client.expect("INTERNAL_ERROR")
        try client.expect("TIMED_OUT")
        try client.expect("DELETED")
        #expect(broker.stderr.split(separator: "\n").filter { $0.contains("none of a job") }.count == 1)
    }

    @Test func aDelayedOneBecomesReadyAndIsPassedOver() throws {
        try client.send("put 5 1 60 1\r\na\r\nput 5 1 60 1\r\nb\r\n")
        let bad = try client.expectInserted()
        let good = try client.expectInserted()
        try psql("update job set ttr = -1, due_at = '-infinity' where id = \(bad)")
        try client.send("reserve\r\n")
        #expect(try client.expectJob() == (good, "b"))
    }

    /// All other tables have wrong values: no broker ends, and correct jobs are served.
    @Test func wrongNumbersAndNames() throws {
        let id = try put("a")
        try psql(
            """
            alter table tube drop constraint tube_name_check, drop constraint tube_pause_check,
                drop constraint tube_paused_until_check;
            alter table tube_count drop constraint tube_count_check;
            insert into tube (name, pause, paused_until) values ('no name', -5, 'infinity'), ('-', -1, '-infinity');
            insert into tube_count (tube_id, urgent, ready, delayed, buried)
            select id, 9000000000000000000, -9000000000000000000, 0, 1 from tube where name <> 'default';
            insert into sql_change (number, tube_id, priority, job_id, ready)
            select nextval('sql_change_number'), id, -1, -1, -5 from tube;
            """)
        let broker = try server.restarted()
        let client = try broker.connect()
        try client.send("list-tubes\r\nreserve\r\n")
        #expect(try client.expectList() == ["default"])
        #expect(try client.expectJob() == (id, "a"))
        try client.send("delete \(id)\r\nput 0 0 1 1\r\nb\r\nreserve\r\n")
        try client.expect("DELETED")
        let next = try client.expectInserted()
        #expect(try client.expectJob() == (next, "b"))
    }

    // MARK: Deleted rows

    @Test func aHeldJobIsDeletedBehindTheBrokersBack() throws {
        let ids = try (1...5).map { try put("\($0)") }
        for id in ids { #expect(try ask("reserve-job \(id)").hasPrefix("RESERVED")); _ = try client.readLine() }
        try psql("delete from job where id <> \(ids[4])")
        #expect(try ask("delete \(ids[0])") == "NOT_FOUND")
        #expect(try ask("release \(ids[1]) 0 0") == "NOT_FOUND")
        #expect(try ask("release \(ids[2]) 0 5") == "NOT_FOUND")
        #expect(try ask("bury \(ids[3]) 0") == "NOT_FOUND")
        #expect(try ask("delete \(ids[4])") == "DELETED")
        try client.send("stats-tube default\r\n")
        let stats = try client.expectOK()
        for state in ["ready", "reserved", "delayed", "buried"] {
            #expect(try stats.number("current-jobs-\(state)") == 0)
        }
        try eventually("the view says so") {
            try psql("select ready, delayed, reserved, buried from tubes where name = 'default'") == "0|0|0|0"
        }
    }

    /// `recount` mends the counts that nobody has asked for, in the database and in the broker.
    @Test func recount() throws {
        for n in 1...5 { _ = try put("\(n)") }
        try client.send("put 0 1000 60 1\r\nd\r\n")
        _ = try client.expectInserted()
        try psql("delete from job where state = 1; delete from job where id in (select id from job limit 2)")
        #expect(try psql("select * from recount()") == "default|-2|-2|-1|0")
        try eventually("the broker knows") {
            try client.send("stats-tube default\r\n")
            let stats = try client.expectOK()
            return try stats.number("current-jobs-ready") == 3 && stats.number("current-jobs-delayed") == 0
        }
        #expect(try psql("select count(*) from recount()") == "0")
    }

    // MARK: A task that fails

    /// Reservations of SQL cannot be ended: delayed jobs become ready all the same, and the log has one line about it.
    @Test func aSweepNeedsNoReservationsOfSQL() throws {
        try psql("drop function end_leases")
        try client.send("put 0 1 60 1\r\na\r\nreserve\r\n")
        let id = try client.expectInserted()
        #expect(try client.expectJob() == (id, "a"))
        try client.send("release \(id) 0 2\r\nreserve\r\n")
        try client.expect("RELEASED")
        #expect(try client.expectJob() == (id, "a"))
        let lines = server.stderr.split(separator: "\n").filter { $0.contains("end the reservations") }
        #expect(lines.count == 1, "\(lines)")
    }
}
