import TestKit
import Testing

/// Finished jobs, as SQL readers see them.
@Suite(.beanrowOnly) struct HistoryTests {
    private let postgres: TestPostgres
    private let server: BrokerProcess

    /// The policy is set before the broker starts, which therefore knows it from its first job on.
    init() throws {
        postgres = try TestPostgres.shared()
        let first = try BrokerProcess.start(postgres: postgres)
        let schema = first.configuration.schema
        _ = try postgres.psql(
            "set search_path to \(schema); select set_policy('default', history => '1 day', history_body => true)")
        try first.stop()
        server = try BrokerProcess.start(postgres: postgres, schema: schema)
    }

    private func psql(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(server.configuration.schema); \(sql)")
    }

    @Test func theLifeOfAJob() throws {
        let client = try server.connect()
        try client.send("put 7 0 100 5\r\nhello\r\n")
        let id = try client.expectInserted()
        for _ in 0..<2 {
            try client.send("reserve\r\n")
            try client.expectJob()
            try client.send("release \(id) 3 0\r\n")
            try client.expect("RELEASED")
        }
        try client.send("reserve\r\n")
        try client.expectJob()
        #expect(try psql("select count(*) from history") == "0")
        try client.send("delete \(id)\r\n")
        try client.expect("DELETED")
        #expect(
            try psql(
                """
                select tube, outcome, state, priority, reserves, releases, timeouts, convert_from(body, 'UTF8'),
                    waited >= '0' and worked >= '0', created_at <= first_reserved_at,
                    first_reserved_at < last_reserved_at, last_reserved_at <= finished_at
                from history where id = \(id)
                """) == "default|finished|reserved|3|3|2|0|hello|t|t|t|t")
    }

    @Test func whatIsDeletedUnfinished() throws {
        let client = try server.connect()
        try client.send("put 0 0 9 1\r\na\r\nput 0 99 9 1\r\nb\r\nput 0 0 9 1\r\nc\r\n")
        let ids = try (0..<3).map { _ in try client.expectInserted() }
        try client.send("reserve-job \(ids[2])\r\nbury \(ids[2]) 0\r\n")
        try client.expectJob()
        try client.expect("BURIED")
        let other = try server.connect()
        for id in ids {
            try other.send("delete \(id)\r\n")
            try other.expect("DELETED")
        }
        #expect(
            try psql("select outcome, state, first_reserved_at is null from history order by id")
                == "deleted|ready|t\ndeleted|delayed|t\ndeleted|buried|f")
    }

    /// A job exists or is in the history, whichever process dies and whenever.
    @Test func theBrokerIsKilledAgainAndAgain() throws {
        var server = server
        var ledger = ClientLedger()
        for round in 0..<3 {
            let load = CrashLoad(on: server, round: round, continuing: ledger)
            try load.waitForAnswers(ledger.answers + 500)
            server.kill9()
            load.join()
            ledger = load.ledger
            server = try BrokerProcess(server.configuration)
        }
        try eventually("nothing of the dead is under way") {
            try psql("select count(*) from broker") == "1"
        }
        #expect(try psql("select count(*) from history join job using (id)") == "0", "no job is both")
        #expect(try psql("select count(*) - count(distinct id) from history") == "0", "none is there twice")
        let ended = Set(try psql("select id from history").split(separator: "\n").compactMap { UInt64($0) })
        let jobs = Set(try psql("select id from job").split(separator: "\n").compactMap { UInt64($0) })
        #expect(ledger.deleted.subtracting(ended) == [], "what was deleted is in the history")
        #expect(Set(ledger.inserted.keys).subtracting(ended).subtracting(jobs) == [], "no job is neither")
        #expect(ended.count > 100)
        // Now the remaining jobs are finished, and are in the history, too.
        try ledger.check(on: server)
        #expect(try psql("select count(distinct id) from history") == "\(ended.count + jobs.count)")
    }
}
