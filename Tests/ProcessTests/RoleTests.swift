import TestKit
import Testing

/// A broker needs exactly the privileges that `beanrow migrate role` gives.
@Suite("The least privileges", .serialized)
struct RoleTests {
    let managed: ManagedSchema
    var postgres: TestPostgres { managed.postgres }
    var schema: String { managed.name }
    /// A role for brokers, and a login that is a member of it.
    let role: String
    let login: String

    init() throws {
        managed = try ManagedSchema()
        role = "\(managed.name) Broker"
        login = "\(managed.name)_login"
        _ = try managed.migrate("up")
        #expect(try makeRole() == "role \(role) may serve schema \(schema), and do nothing else in it\n")
        _ = try postgres.psql("create role \(login) login in role \"\(role)\"")
    }

    private func makeRole() throws -> String { try managed.migrate("role", role) }

    private func broker(_ options: [String] = []) throws -> BrokerProcess {
        try BrokerProcess.start(options, schema: schema, database: managed.database(as: login))
    }

    /// Runs SQL in the schema as the login.
    /// - Returns: The result or the error.
    private func attempt(_ sql: String) throws -> String { try managed.attempt(sql, as: login) }

    @Test func everyCommandWorks() throws {
        let broker = try broker()
        let client = try broker.connect()
        func say(_ command: String, _ answers: String...) throws {
            try client.send(command + "\r\n")
            for answer in answers { try client.expect(answer) }
        }
        try say("use work", "USING work")
        try say("watch work", "WATCHING 2")
        try say("put 5 0 60 1\r\na", "INSERTED 1")
        try say("put 5 60 60 1\r\nb", "INSERTED 2")
        try say("reserve", "RESERVED 1 1", "a")
        try say("touch 1", "TOUCHED")
        // Long enough to be written to the row.
        try eventually("the reservation is in its row") {
            try postgres.psql("select state from \(schema).jobs where id = 1") == "reserved"
        }
        try say("release 1 6 0", "RELEASED")
        try say("reserve-with-timeout 60", "RESERVED 1 1", "a")
        try say("bury 1 7", "BURIED")
        try say("peek-buried", "FOUND 1 1", "a")
        try say("peek-delayed", "FOUND 2 1", "b")
        try say("kick 10", "KICKED 1")
        try say("kick-job 2", "KICKED")
        try say("peek-ready", "FOUND 2 1", "b")
        try say("peek 1", "FOUND 1 1", "a")
        try say("reserve-job 1", "RESERVED 1 1", "a")
        try say("release 1 0 1", "RELEASED")
        try say("pause-tube work 2", "PAUSED")
        // Made ready when its delay is over; before that, the other job would be given out.
        try eventually("its delay is over") { try client.state(of: 1) == "ready" }
        // Given out when the pause is over.
        try say("reserve", "RESERVED 1 1", "a")
        try say("delete 1", "DELETED")
        try say("delete 2", "DELETED")
        for command in ["stats", "stats-tube work", "list-tubes", "list-tubes-watched"] {
            try client.send(command + "\r\n")
            _ = try client.readBody(Int(client.expectPrefix("OK "))!)
        }
        try say("stats-job 1", "NOT_FOUND")
        try say("ignore default", "WATCHING 1")
        try eventually("the counts are folded") {
            try postgres.psql("select ready, delayed, buried from \(schema).tubes where name = 'work'") == "0|0|0"
        }
        #expect(try broker.stop() == 0)
        #expect(!broker.stderr.contains("permission denied"))
        #expect(try postgres.psql("select count(*) from \(schema).broker") == "0")
    }

    /// What the page and the API read and do, in the same role.
    @Test func whatThePageDoes() throws {
        let broker = try BrokerProcess.start(
            schema: schema, database: managed.database(as: login), http: "127.0.0.1:0")
        let web = try WebClient(broker)
        try web.post("jobs", #"{"tube": "a", "body": "x"}"#, status: 201)
        for (action, arguments) in [
            ("bury", "{}"), ("kick", "{}"), ("priority", #"{"priority": 1}"#), ("delay", #"{"delay_seconds": 9}"#),
            ("move", #"{"tube": "b"}"#),
        ] {
            #expect(try web.post("jobs/1/\(action)", arguments)["changed"] as? Int == 1, "\(action)")
        }
        try eventually("the broker knows the tube") { try web.get("/api/v1/tubes/b").status == 200 }
        try web.post("tubes/b/policy", #"{"history_seconds": 1000, "history_body": true}"#)
        try web.post("tubes/b/pause", #"{"seconds": 1}"#)
        try web.post("tubes/b/unpause")
        #expect(try web.post("tubes/b/kick")["changed"] as? Int == 1)
        let begun = try web.post(
            "operations", #"{"action": "bury", "filter": {"tube": "b"}, "expected_count": 1}"#, status: 202)
        let operation = try #require(begun["id"] as? Int)
        try eventually("it is done") { try web.read("operations/\(operation)")["state"] as? String == "done" }
        #expect(try web.post("tubes/b/clear")["changed"] as? Int == 1)
        #expect(try (web.read("history")["jobs"] as? [Any])?.count == 1)
        for path in [
            "jobs", "jobs/1", "jobs/1/body", "brokers", "clients", "holders", "warnings", "policies", "audit",
            "operations",
        ] {
            #expect(try web.get("/api/v1/\(path)").status == 200, "\(path)")
        }
        #expect(!broker.stderr.contains("permission denied"))
        // Without a right the answer names it.
        try web.post("jobs", #"{"tube": "b", "body": "y"}"#, status: 201)
        try eventually("the broker knows the tube again") { try web.get("/api/v1/tubes/b").status == 200 }
        _ = try postgres.psql("revoke execute on function \(schema).pause(text, interval) from \"\(role)\"")
        let refused = try web.ask("POST", "/api/v1/tubes/b/pause", json: #"{"seconds": 1}"#)
        #expect(refused.status == 403)
        #expect(refused.text.contains("permission denied for function pause"))
    }

    /// A second broker, the end of being the sole one, and the death of the first.
    @Test func twoBrokersAndADeath() throws {
        let first = try broker()
        let client = try first.connect()
        for body in ["a", "b"] {
            try client.send("put 0 0 60 1\r\n\(body)\r\n")
            try client.expectInserted()
        }
        try client.send("reserve\r\n")
        try client.expect("RESERVED 1 1")
        let second = try broker()
        let other = try second.connect()
        try other.send("reserve\r\n")
        #expect(try other.expectJob().body == "b")
        first.kill9()
        try other.send("reserve\r\n")
        #expect(try other.expectJob().body == "a")
        #expect(!(first.stderr + second.stderr).contains("permission denied"))
    }

    private static let forbidden = [
        "create table mine (id integer)", "create view mine as select 1",
        "create function f() returns int language sql as 'select 1'",
        "drop table job", "drop sequence job_id", "truncate job", "truncate ledger",
        "alter table job add column mine integer", "alter table job disable trigger all", "create index on job (id)",
        "create trigger t before insert on job for each row execute function suppress_redundant_updates_trigger()",
        "delete from migration", "delete from tube", "delete from tube_count", "select setval('job_id', 1)",
        "select * from import", "insert into import_file values (1, 1, 1)", "grant select on job to public",
        "select * from jobs", "alter view jobs rename to mine", "create schema mine", "create role mine",
        "select * from pg_authid", "copy job to '/tmp/jobs'", "select * from neighbour.secret",
    ]

    /// All with one role: a statement that is refused changes nothing.
    @Test func whatItCannotDo() throws {
        _ = try postgres.psql(
            "create schema if not exists neighbour; create table if not exists neighbour.secret (id integer)")
        let refusals = ["permission denied", "must be owner", "must be superuser", "no privileges were granted"]
        for sql in Self.forbidden {
            let said = try attempt(sql)
            #expect(refusals.contains { said.contains($0) }, "\(sql): \(said)")
        }
    }

    @Test func doneAgainItTakesBackWhatIsTooMuch() throws {
        _ = try postgres.psql(
            """
            grant create on schema \(schema) to "\(role)"; grant all on all tables in schema \(schema) to "\(role)";
            grant all on all sequences in schema \(schema) to "\(role)"
            """)
        #expect(try !attempt("truncate import cascade").contains("permission denied"))
        _ = try makeRole()
        let before = try privileges()
        for sql in ["truncate import", "create table mine (id integer)", "select setval('job_id', 1)"] {
            #expect(try attempt(sql).contains("permission denied"))
        }
        _ = try makeRole()
        #expect(try privileges() == before)
    }

    private func privileges() throws -> String {
        try postgres.psql(
            """
            select relname, relacl from pg_class join pg_namespace on relnamespace = pg_namespace.oid
            where nspname = '\(schema)' order by relname
            """)
    }

    @Test func itDoesNotMigrate() throws {
        _ = try managed.migrate("down")
        for options in [[], ["--no-migrate"]] {
            #expect {
                _ = try broker(options)
            } throws: { error in
                "\(error)".contains("run `beanrow migrate up`")
            }
        }
        let version = "select max(version) from \(schema).migration"
        let before = try postgres.psql(version)
        #expect(throws: (any Error).self) { try managed.migrate("up", as: login) }
        #expect(try postgres.psql(version) == before)
    }

    @Test func whoOwnsTheSchemaOrEverythingCannotBeLimited() throws {
        let owner = "\(schema)_owner"
        _ = try postgres.psql("create role \(owner); alter table \(schema).tube owner to \(owner)")
        for (name, reason) in [(owner, "owns the schema"), ("beanrow", "is a superuser")] {
            #expect {
                _ = try managed.migrate("role", name)
            } throws: { error in
                "\(error)".contains(reason)
            }
        }
    }

    /// A user that is neither owner nor superuser. PostgreSQL itself would only warn.
    @Test func whoMayNotGrantIsToldSo() throws {
        let creator = "\(schema)_creator"
        _ = try postgres.psql("create role \(creator) login createrole in role \"\(role)\"")
        #expect {
            _ = try managed.migrate("role", "\(schema)_new", as: creator)
        } throws: { error in
            "\(error)".contains("did not get its privileges") || "\(error)".contains("permission denied")
        }
        #expect(try postgres.psql("select count(*) from pg_roles where rolname = '\(schema)_new'") == "0")
    }

    /// The owner is not the role that ran the migrations.
    @Test func theOwnerNeedsNoSuperuser() throws {
        let owner = "\(schema)_admin"
        let other = "\(schema)_other"
        _ = try postgres.psql("create role \(owner) login createrole; grant create on database beanrow to \(owner)")
        _ = try managed.migrate("up", as: owner, schema: other)
        _ = try managed.migrate("role", "\(other)_role", as: owner, schema: other)
        _ = try postgres.psql("alter role \(other)_role login")
        let broker = try BrokerProcess.start(schema: other, database: managed.database(as: "\(other)_role"))
        let client = try broker.connect()
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expect("INSERTED 1")
    }
}
