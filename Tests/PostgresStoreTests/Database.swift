import CLibPQ
import Foundation
import TestKit

@testable import PostgresStore

/// A migrated schema for one test, with a session whose search path is this schema alone.
final class Database {
    let schema: String
    let connection: Connection
    let server: TestPostgres
    /// The names of the test's sessions begin with this.
    let sessions: String

    init(schema: String? = nil, on server: TestPostgres? = nil, isMigrated: Bool = true) throws {
        let server = try server ?? TestPostgres.shared()
        self.server = server
        sessions = server.freshSchema()
        self.schema = schema ?? sessions
        connection = try Connection(server.connectionString)
        if isMigrated { try Migrator(connection, schema: self.schema).up() }
        try connection.run("set search_path to \(identifier(self.schema)); set synchronous_commit to local")
    }

    var configuration: StoreConfiguration {
        StoreConfiguration(database: server.connectionString, schema: schema)
    }

    /// Like `configuration`, but its sessions have a name that `pg_stat_activity` shows.
    ///
    /// `route`: a connection string to use instead of the direct one.
    func configuration(_ task: String, route: String? = nil) -> StoreConfiguration {
        StoreConfiguration(
            database: "\(route ?? server.connectionString) application_name='\(sessions) \(task)'", schema: schema)
    }

    /// Another session with the same search path.
    func session() throws -> Connection {
        let other = try Connection(server.connectionString)
        try other.run("set search_path to \(identifier(schema)); set synchronous_commit to local")
        return other
    }

    func run(_ sql: String) throws {
        try connection.run(sql)
    }

    /// Rows as PostgreSQL prints them: `(1,ready) (2,delayed)`.
    func rows(_ query: String) throws -> String {
        try text("select coalesce(string_agg(result::text, ' '), '') from (\(query)) as result")
    }

    /// The only value of a query.
    func value(_ query: String) throws -> String {
        try text("select coalesce((\(query))::text, 'null')")
    }

    /// The value that a statement returns. The statement ends with `returning` and one expression.
    func returned(_ statement: String) throws -> String {
        try text(statement + "::text")
    }

    func number(_ query: String) throws -> Int64 {
        guard let number = Int64(try value(query)) else { throw WireMismatch("not a number: \(query)") }
        return number
    }

    func holds(_ condition: String) throws -> Bool {
        try value("select \(condition)") == "true"
    }

    private func text(_ sql: String) throws -> String {
        let statement = Statement(name: "", sql: sql)
        try connection.prepare(statement)
        return try connection.execute(statement).string(0, 0)
    }

    // MARK: Brokers and tubes

    /// Adds the row of another broker, as if it had registered from another machine.
    @discardableResult
    func addBroker(
        heartbeat: String = "clock_timestamp()", pid: Int32 = 1, space: String = "elsewhere", isSole: Bool = false
    ) throws -> Int64 {
        let statement = Statement(
            name: "",
            sql: """
                with own as (
                    insert into broker (epoch, host, pid, process_space, heartbeat_at, is_sole)
                    select
                        coalesce(max(epoch), 0) + 1, 'elsewhere', \(pid), \(literal(space)), \(heartbeat), \(isSole)
                    from broker
                    returning epoch
                ), fences as (
                    insert into fence (epoch, writer) select epoch, writer from own, generate_series(0, 3) as writer
                )
                select epoch from own
                """)
        try connection.prepare(statement)
        return try connection.execute(statement).int64(0, 0)
    }

    func removeBroker(_ epoch: Int64) throws {
        try run("delete from broker where epoch = \(epoch); delete from fence where epoch = \(epoch)")
    }

    /// Adds a tube and returns its id.
    func addTube(_ name: String = "default") throws -> Int32 {
        try run("insert into tube (name) values (\(literal(name)))")
        return Int32(try number("select id from tube where name = \(literal(name))"))
    }

    // MARK: Sessions

    /// Ends the session of a task and waits until it is gone.
    func terminate(_ task: String) throws {
        try run("select pg_terminate_backend(pid, 5000) from pg_stat_activity where \(isSession(task))")
    }

    /// Waits until the session of a task waits for a lock.
    func waitUntilBlocked(_ task: String) throws {
        try eventually("\(task) waits for a lock") { try waits(task, "wait_event_type = 'Lock'") }
    }

    /// Makes the first statement that does `event`, such as `delete on job`, sleep until its session ends. A lock would
    /// not hold up the query runner, which waits for no locks.
    func makeDoze(before event: String) throws {
        try run(
            """
            create sequence dozes;
            create function doze() returns trigger language plpgsql as
                'begin if nextval(''dozes'') = 1 then perform pg_sleep(600); end if; return coalesce(new, old); end';
            create trigger doze before \(event) for each row execute function doze()
            """)
    }

    /// Waits until the session of a task sleeps.
    func waitUntilDozing(_ task: String) throws {
        try eventually("\(task) sleeps") { try waits(task, "wait_event = 'PgSleep'") }
    }

    /// True if the row of a task's session in `pg_stat_activity` meets a condition.
    func waits(_ task: String, _ condition: String) throws -> Bool {
        try holds("exists (select from pg_stat_activity where \(isSession(task)) and \(condition))")
    }

    func isSession(_ task: String) -> String {
        "application_name = '\(sessions) \(task)'"
    }

    // MARK: Counts

    /// True if the counts of each tube, together with the ledger, agree with the jobs of the tube.
    func countsAgree() throws -> Bool {
        try rows(
            """
            select tube_id, urgent, ready, delayed, buried from (
                select tube_id, sum(urgent) as urgent, sum(ready) as ready, sum(delayed) as delayed,
                    sum(buried) as buried
                from (
                    select tube_id, urgent, ready, delayed, buried from tube_count
                    union all
                    select change.*
                    from ledger, unnest(tube_ids, ledger.urgent, ledger.ready, ledger.delayed, ledger.buried) as change
                ) as part
                group by tube_id
            ) as account where urgent <> 0 or ready <> 0 or delayed <> 0 or buried <> 0 order by tube_id
            """)
            == rows(
                """
                select
                    tube_id,
                    count(*) filter (where state = 0 and priority < 1024) as urgent,
                    count(*) filter (where state = 0) as ready,
                    count(*) filter (where state = 1) as delayed,
                    count(*) filter (where state = 2) as buried
                from job group by tube_id order by tube_id
                """)
    }
}

/// The text as a literal of SQL. Only tests put values into SQL: the store passes parameters.
func literal(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
}

extension PostgresStore.Connection {
    func prepare(_ statement: Statement) throws { try prepare([statement]) }

    /// The payload of the next notification, whichever session sent it.
    func nextPayload() -> String? {
        guard let notification = PQnotifies(pg) else { return nil }
        defer { PQfreemem(notification) }
        return String(cString: notification.pointee.extra)
    }

    /// The process ID of the session's backend.
    var backend: Int32 {
        get throws { try ask(Statement(name: "", sql: "select pg_backend_pid()")).int32(0, 0) }
    }
}
