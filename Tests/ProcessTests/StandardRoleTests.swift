import TestKit
import Testing

/// The roles of `beanrow migrate roles`: what each task needs, and nothing else (docs/operations.md).
@Suite("A role for each task")
struct StandardRoleTests {
    let managed: ManagedSchema
    private static let tasks = ["reader", "producer", "worker", "operator", "broker"]
    private static let functions: [(task: String, names: [String])] = [
        ("producer", ["put", "put_many"]),
        ("worker", ["reserve", "finish", "release", "bury", "touch"]),
        (
            "operator",
            [
                "kick", "kick_job", "delete_job", "bury_job", "move_job", "set_priority", "set_delay", "pause",
                "unpause", "clear", "set_policy", "end_lease", "end_leases_of",
            ]
        ),
    ]

    init() throws {
        managed = try ManagedSchema()
        _ = try managed.migrate("up")
        // One more of each name: privileges are on the name, whatever the parameters.
        for name in Self.functions.flatMap(\.names) { try addFunction(name) }
        let names = Self.tasks.map { "\(managed.name)_\($0)" }
        #expect(
            try managed.migrate("roles")
                == "roles of schema \(managed.name): \(names.joined(separator: ", "))\n")
        for task in Self.tasks {
            _ = try managed.postgres.psql("create role \(login(task)) login in role \(managed.name)_\(task)")
        }
    }

    /// With parameters that no function of the schema has.
    private func addFunction(_ name: String) throws {
        let function = "\(managed.name).\(name)(box)"
        _ = try managed.postgres.psql(
            """
            create function \(function) returns text language sql security definer as $$ select 'done' $$;
            revoke all on function \(function) from public
            """)
    }

    private func login(_ task: String) -> String { "\(managed.name)_a_\(task)" }

    private func attempt(_ sql: String, by task: String) throws -> String {
        try managed.attempt(sql, as: login(task))
    }

    @Test(arguments: tasks) func whichFunctionsEachMayCall(task: String) throws {
        for (allowed, names) in Self.functions {
            for name in names {
                let said = try attempt("select \(name)(null::box)", by: task)
                #expect(
                    task == allowed ? said == "done\n" : said.contains("permission denied for function \(name)"),
                    "\(task) calls \(name): \(said)")
            }
        }
    }

    @Test func eachDoesItsTask() throws {
        #expect(try attempt("select put('t', 'a', key => 'k')", by: "producer") == "1\n")
        #expect(try attempt("select count(*) from put_many('t', array['b', 'c'])", by: "producer") == "2\n")
        #expect(try attempt("select set_policy('t', history => '1 day') is null", by: "operator") == "f\n")
        #expect(try attempt("select finish(array(select id from reserve(array['t'])))", by: "worker") == "1\n")
        #expect(try attempt("select bury_job(2), kick('t'), delete_job(3)", by: "operator") == "t|1|t\n")
        #expect(try attempt("select id, body_text(body) from jobs", by: "reader") == "2|b\n")
        #expect(try attempt("select id, outcome from history order by id", by: "reader") == "1|finished\n3|deleted\n")
    }

    @Test(arguments: tasks) func whichViewsEachMayRead(task: String) throws {
        for view in ["jobs", "tubes", "brokers", "history", "tube_policies", "warnings"] {
            let said = try attempt("select count(*) >= 0 from \(view)", by: task)
            // The broker writes the warnings to its log.
            let isAllowed = ["reader", "operator"].contains(task) || task == "broker" && view == "warnings"
            #expect(
                isAllowed ? said == "t\n" : said.contains("permission denied for view \(view)"),
                "\(task) reads \(view): \(said)")
        }
    }

    @Test(arguments: tasks.filter { $0 != "broker" }) func noTableIsAnybodys(task: String) throws {
        let tables = try managed.postgres.psql(
            """
            select relname from pg_class
            where relnamespace = '\(managed.name)'::regnamespace and relkind in ('r', 'p') and relname <> 'job_history'
            """
        ).split(separator: "\n")
        #expect(tables.count > 5)
        for table in tables {
            for sql in ["select from \(table)", "insert into \(table) default values", "delete from \(table)"] {
                let said = try attempt(sql, by: task)
                #expect(said.contains("permission denied for table \(table)"), "\(task): \(sql): \(said)")
            }
        }
        for sql in [
            "create table mine ()", "select nextval('job_id')", "truncate job",
            "alter view jobs owner to \(login(task))",
        ] {
            let said = try attempt(sql, by: task)
            #expect(said.contains("permission denied") || said.contains("must be owner"), "\(task): \(sql): \(said)")
        }
    }

    @Test func theBrokersRoleServes() throws {
        let broker = try BrokerProcess.start(schema: managed.name, database: managed.database(as: login("broker")))
        let client = try broker.connect()
        try client.send("put 0 0 60 1\r\na\r\nreserve\r\ndelete 1\r\n")
        try client.expect("INSERTED 1")
        try client.expect("RESERVED 1 1")
        try client.expect("a")
        try client.expect("DELETED")
        #expect(try broker.stop() == 0)
        #expect(!broker.stderr.contains("permission denied"))
    }

    // MARK: Again, and elsewhere

    private func privileges() throws -> String {
        try managed.postgres.psql(
            """
            select relname, relacl::text from pg_class where relnamespace = '\(managed.name)'::regnamespace
            union all
            select oid::regprocedure::text, proacl::text from pg_proc where pronamespace = '\(managed.name)'::regnamespace
            order by 1
            """)
    }

    @Test func doneAgainItChangesNothingAndTakesBackWhatIsTooMuch() throws {
        let before = try privileges()
        let reader = "\(managed.name)_reader"
        _ = try managed.postgres.psql(
            "grant all on \(managed.name).job to \(reader); grant all on function \(managed.name).put(box) to \(reader)"
        )
        #expect(try privileges() != before)
        _ = try managed.migrate("roles")
        #expect(try privileges() == before)
    }

    @Test func whatMigrationsAddIsCoveredWhenTheyAreRun() throws {
        _ = try managed.migrate("down")
        _ = try managed.postgres.psql("drop function \(managed.name).put(box)")
        try addFunction("put")
        #expect(try attempt("select put(null::box)", by: "producer").contains("permission denied"))
        _ = try managed.migrate("up")
        #expect(try attempt("select put(null::box)", by: "producer") == "done\n")
        #expect(try attempt("select put(null::box)", by: "reader").contains("permission denied"))
    }

    @Test func anotherSchemaHasRolesOfItsOwn() throws {
        let other = managed.postgres.freshSchema()
        _ = try managed.migrate("up", schema: other)
        _ = try managed.migrate("roles", schema: other)
        #expect(try attempt("select count(*) from \(other).jobs", by: "reader").contains("permission denied"))
        _ = try managed.postgres.psql("grant \(other)_reader to \(login("reader"))")
        #expect(try attempt("select count(*) from \(other).jobs", by: "reader") == "0\n")
    }

    /// PostgreSQL would cut the names of all roles to the same 63 bytes.
    @Test func aSchemaWhoseNameLeavesNoRoomForRoles() throws {
        let long = String((managed.name + "_" + String(repeating: "x", count: 63)).prefix(60))
        _ = try managed.migrate("up", schema: long)
        #expect {
            _ = try managed.migrate("roles", schema: long)
        } throws: { error in
            "\(error)".contains("longer than the 63 bytes")
        }
        #expect(try managed.postgres.psql("select count(*) from pg_roles where rolname like '\(long)%'") == "0")
    }

    @Test(arguments: tasks) func whoMayDeclareBrokersDead(task: String) throws {
        let said = try attempt("call declare_dead()", by: task)
        let isAllowed = ["worker", "operator"].contains(task)
        #expect(
            said.contains(isAllowed ? "there are no brokers" : "permission denied for procedure declare_dead"),
            "\(task): \(said)")
    }
}
