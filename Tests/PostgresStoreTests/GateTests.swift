import TestKit
import Testing

@testable import PostgresStore

@Suite("A broker finds out whether SQL sessions are at work, and holds them off")
struct GateTests {
    let db: Database
    let sql: Connection
    private let broker: Connection

    init() throws {
        db = try Database()
        sql = try db.session()
        broker = try Session.open(db.configuration, [.sqlActivity, .holdOffSQL])
    }

    /// True if no SQL session is at work. The broker has seen all changes up to `number`.
    private func isQuiet(since number: Int64 = 0) throws -> Bool {
        var parameters = Parameters()
        parameters.add(Int64(0))
        parameters.add(number)
        let rows = try broker.execute(.sqlActivity, parameters)
        return rows[0, rows.columns(SQLActivityColumns.self).isQuiet]
    }

    private func lastNumber() throws -> Int64 { try db.number("select last_value from sql_change_number") }

    private func holdOff() throws -> Bool { try broker.execute(.holdOffSQL).bool(0, 0) }

    private static let calls = [
        "put('t', 'x')", "put('t', 'x', key => 'k')", "put_many('t', array['x'])", "reserve('{t}')", "finish('{}')",
        "kick('t')", "kick_job(1)", "clear('t')", "pause('t', '1 hour')", "set_policy('t')", "end_lease(1)",
        "end_leases_of(1)",
    ]

    @Test(arguments: calls) func anOpenTransactionIsSeen(call: String) throws {
        try db.run("select put('t', 'x')")
        #expect(try isQuiet() && holdOff())
        try sql.run("begin; select \(call)")
        #expect(try !isQuiet())
        #expect(try !holdOff())
        try sql.run("commit")
        #expect(try isQuiet() && holdOff())
    }

    @Test func aPreparedTransactionIsSeen() throws {
        guard try db.number("select setting from pg_settings where name = 'max_prepared_transactions'") > 0 else {
            return
        }
        try sql.run("begin; select put('t', 'x'); prepare transaction '\(db.sessions)'")
        #expect(try !isQuiet())
        #expect(try !holdOff())
        try sql.run("commit prepared '\(db.sessions)'")
        #expect(try isQuiet() && holdOff())
    }

    @Test func theLockIsLookedAtOnlyAfterANewNumber() throws {
        let before = try lastNumber()
        #expect(try isQuiet(since: before))
        try sql.run("begin; select * from reserve('{nowhere}')")
        #expect(try isQuiet(since: before) && !isQuiet())
        try sql.run("select put('t', 'x')")
        #expect(try !isQuiet(since: before))
        try sql.run("commit")
    }

    @Test func aDumpDoesNotCountAsSQLAtWork() throws {
        try sql.run("begin; lock table sql_gate in access share mode")
        #expect(try isQuiet() && holdOff())
        try sql.run("commit")
    }

    @Test func aBrokerHoldsCallsOffUntilItsTransactionEnds() throws {
        try broker.run("begin")
        #expect(try holdOff())
        try sql.run("set lock_timeout to '10ms'")
        #expect { try sql.run("select put('t', 'x')") } throws: { ($0 as? StoreError)?.isLockTimeout ?? false }
        try broker.run("commit")
        try sql.run("select put('t', 'x')")
    }

    /// Any login may hold any advisory lock.
    @Test func noFunctionOrStatementTakesAnAdvisoryLock() throws {
        for statement in Statement.queryRunner + Statement.keeper + Statement.notifier + Statement.writer {
            #expect(!statement.sql.contains("advisory"), "\(statement.name)")
        }
        #expect(
            try db.rows(
                """
                select proname from pg_proc
                where pronamespace = \(literal(db.schema))::regnamespace and prosrc like '%advisory%'
                """) == "")
    }
}
