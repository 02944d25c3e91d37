import TestKit
import Testing

/// Each role of `beanrow migrate roles` has exactly the privileges that its task needs.
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
                "unpause", "clear", "recount", "set_policy", "end_lease", "end_leases_of",
            ]
        ),
    ]

    /// What viewers of the page do through their broker.
    private static let ofThePage: Set = [
        "put", "kick", "kick_job", "delete_job", "bury_job", "move_job", "set_priority", "set_delay", "pause",
        "unpause",
        "clear", "set_policy",
    ]

    init() throws {
        managed = try ManagedSchema()
        _ = try managed.migrate("up")
        // Another function of each name: privileges cover all functions of a name, whatever their parameters.
        try addFunctions(Self.functions.flatMap(\.names))
        let names = Self.tasks.map { "\(managed.name)_\($0)" }
        #expect(
            try managed.migrate("roles")
                == "roles of schema \(managed.name): \(names.joined(separator: ", "))\n")
        let logins = Self.tasks.map { "create role \(login($0)) login in role \(managed.name)_\($0)" }
        _ = try managed.postgres.psql(logins.joined(separator: ";"))
    }

    /// Adds functions with a parameter that no function of the schema has.
    private func addFunctions(_ names: [String]) throws {
        let functions = names.map { name in
            """
            create function \(managed.name).\(name)(box) returns text language sql security definer
                as $$ select 'done' $$;
            revoke all on function \(managed.name).\(name)(box) from public;
            """
        }
        _ = try managed.postgres.psql(functions.joined())
    }

    private func login(_ task: String) -> String { "\(managed.name)_a_\(task)" }

    private func attempt(_ sql: String, by task: String) throws -> String {
        try managed.attempt(sql, as: login(task))
    }

    @Test func whichFunctionsEachMayCall() throws {
        for task in Self.tasks {
            for (allowed, names) in Self.functions {
                for name in names {
                    let said = try attempt("select \(name)(null::box)", by: task)
                    let isAllowed = task == allowed || task == "broker" && Self.ofThePage.contains(name)
                    #expect(
                        isAllowed ? said == "done\n" : said.contains("permission denied for function \(name)"),
                        "\(task) calls \(name): \(said)")
                }
            }
        }
    }

    @Test func eachDoesItsTask() throws {
        func say(_ sql: String, by task: String, _ answer: String) throws {
            #expect(try attempt(sql, by: task) == answer + "\n", "\(task): \(sql)")
        }
        try say(
            "select set_policy('t', history => '1 day', history_body => true, bury_after_timeouts => 9, max_ready => 100) is null",
            by: "operator", "f")
        try say("select put('t', 'a', key => 'k'), put('t', 'a', key => 'k')", by: "producer", "1|1")
        try say("select put('t', '\\x62'::bytea), put('t', '{}'::json), put('t', '1'::jsonb)", by: "producer", "2|3|4")
        try say("select count(*) from put_many('t', array['b', 'c'])", by: "producer", "2")
        try say("select finish(array(select id from reserve(array['t'], count => 2)))", by: "worker", "2")
        try say(
            "select release(array(select id from reserve(array['t'], holder => 7)), holder => 7)", by: "worker", "1")
        try say("select touch(array(select id from reserve(array['t'], holder => 7)), holder => 7)", by: "worker", "1")
        try say("select bury(array[3], holder => 7)", by: "worker", "1")
        try say(
            "select kick_job(3), bury_job(3), kick('t'), set_priority(3, 5), set_delay(3, '1 h')", by: "operator",
            "t|t|1|t|t")
        try say("select move_job(3, 'u'), delete_job(3), clear('u')", by: "operator", "t|t|0")
        try say("select pause('t', '1 s') is null, unpause('t') is null", by: "operator", "f|f")
        try say("select clear('t', state => 'ready')", by: "operator", "3")
        try say(
            "select id, outcome, body_text(body) from history order by id limit 3", by: "reader",
            "1|finished|a\n2|finished|b\n4|deleted|1")
        try say(
            "select name, ready, oldest_ready_at, paused_until from tubes order by name", by: "reader", "t|0||\nu|0||")
        try say("select count(*) from brokers, jobs", by: "reader", "0")
        try say("select tube, max_ready from tube_policies", by: "operator", "t|100")
        try say("select body_json('[1]')->0, body_text('\\xff') is null", by: "reader", "1|t")
    }

    /// A role may call exactly the functions that its task needs.
    @Test func nothingElseIsToBeCalled() throws {
        for task in Self.tasks {
            let needed = [
                "reader": ["body_json", "body_text", "seen_at"], "producer": ["put", "put_job", "put_many"],
                "worker": [
                    "bury", "declare_dead", "declare_silent_brokers_dead", "finish", "release", "reserve", "touch",
                ],
                "operator": [
                    "body_json", "body_text", "bury_job", "clear", "declare_dead",
                    "declare_silent_brokers_dead", "delete_job",
                    "end_lease",
                    "end_leases_of", "kick", "kick_job", "move_job", "pause", "recount", "seen_at", "set_delay",
                    "set_policy", "set_priority", "unpause",
                ],
            ]
            let callable = try managed.postgres.psql(
                """
                select distinct proname from pg_proc
                where pronamespace = '\(managed.name)'::regnamespace
                    and has_function_privilege('\(login(task))', oid, 'execute')
                order by 1
                """
            ).split(separator: "\n").map(String.init)
            if let needed = needed[task] {
                #expect(callable == needed)
            } else {
                let ofCallers = Set(callable).intersection(needed.values.joined())
                #expect(ofCallers == Self.ofThePage.union(["put_job"]), "of those for callers, what the page does")
            }
        }
    }

    @Test func whichViewsEachMayRead() throws {
        for task in Self.tasks {
            let views = [
                "jobs", "tubes", "brokers", "history", "tube_policies", "samples", "samples_5min", "actions",
                "warnings",
            ]
            for view in views {
                let said = try attempt("select count(*) >= 0 from \(view)", by: task)
                // The broker writes the warnings to its log.
                let isAllowed = ["reader", "operator"].contains(task) || task == "broker" && view == "warnings"
                #expect(
                    isAllowed ? said == "t\n" : said.contains("permission denied for view \(view)"),
                    "\(task) reads \(view): \(said)")
            }
        }
    }

    @Test func noTableIsAnybodys() throws {
        for task in Self.tasks where task != "broker" {
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
                #expect(
                    said.contains("permission denied") || said.contains("must be owner"), "\(task): \(sql): \(said)")
            }
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

    /// A broker with every policy, with SQL sessions beside it.
    @Test func theBrokersRoleDoesAllThatABrokerDoes() throws {
        try say(
            "operator",
            """
            select set_policy('mail', bury_after_timeouts => 1, bury_after_releases => 2, max_ready => 4,
                history => '1 day', history_body => true), set_policy('plain', history => '1 day')
            """)
        let first = try BrokerProcess.start(schema: managed.name, database: managed.database(as: login("broker")))
        let client = try first.connect()
        func tell(_ command: String, _ answers: String...) throws {
            try client.send(command + "\r\n")
            for answer in answers { try client.expect(answer) }
        }
        for tube in ["mail", "plain", "none"] {
            try tell("use \(tube)", "USING \(tube)")
            let id = { try client.expectInserted() }
            try client.send("put 9 0 60 1\r\na\r\n")
            let ready = try id()
            try client.send("put 9 100 60 1\r\nb\r\n")
            let delayed = try id()
            try client.send("put 9 0 60 5 idp:k\r\nkeyed\r\n")
            let keyed = try id()
            try client.send("put 9 0 60 5 idp:k\r\nagain\r\n")
            #expect(try client.expectPrefix("INSERTED \(keyed)") == " READY")
            try tell("reserve-job \(keyed)", "RESERVED \(keyed) 5", "keyed")
            try tell("bury \(keyed) 3", "BURIED")
            // Jobs that no client holds: ready, delayed and buried.
            for id in [ready, delayed, keyed] { try tell("delete \(id)", "DELETED") }
            #expect(
                try managed.attempt("select count(*) from history where tube = '\(tube)'", as: login("reader"))
                    == (tube == "none" ? "0\n" : "3\n"))
        }
        // A full tube, and a job that a policy buries.
        try tell("use mail", "USING mail")
        try eventually("the broker knows the policy") {
            try client.send("put 0 0 60 1\r\nx\r\n")
            return try client.readLine() == "OUT_OF_MEMORY"
        }
        try tell("watch mail", "WATCHING 2")
        try client.send("reserve\r\n")
        let job = try client.expectJob().id
        try tell("release \(job) 0 0", "RELEASED")
        try tell("reserve-job \(job)", "RESERVED \(job) 1", "x")
        try tell("release \(job) 0 0", "BURIED")
        // SQL steers and takes jobs that the broker has in memory, and a session's lease ends.
        try say("operator", "select kick('mail')")
        try say("worker", "select id from reserve('{mail}', '1 second')")
        try say("operator", "select set_priority(max(id), 0) from jobs where state = 'ready' and tube = 'mail'")
        try say("producer", "select put('plain', 'of SQL')")
        try eventually("what the session had is buried by the policy") {
            try managed.attempt("select buried from tubes where name = 'mail'", as: login("reader")) == "1\n"
        }
        // A second broker, and the death of the first.
        let second = try BrokerProcess.start(schema: managed.name, database: managed.database(as: login("broker")))
        let other = try second.connect()
        try tell("watch plain", "WATCHING 3")
        try tell("pause-tube mail 60", "PAUSED")
        try tell("ignore mail", "WATCHING 2")
        try client.send("reserve\r\n")
        #expect(try client.expectJob().body == "of SQL")
        try other.send("watch plain\r\nreserve\r\n")
        try other.expect("WATCHING 2")
        first.kill9()
        let heir = try other.expectJob()
        #expect(heir.body == "of SQL")
        try other.send("delete \(heir.id)\r\n")
        try other.expect("DELETED")
        // The job is in the history, in the partition of the day.
        #expect(
            try managed.attempt("select outcome from history where id = \(heir.id)", as: login("reader"))
                == "finished\n")
        #expect(try second.stop() == 0)
        let said = first.stderr + second.stderr
        #expect(!said.contains("permission denied") && !said.contains("42501") && !said.contains("refused"), "\(said)")
    }

    /// Runs SQL as one of the other roles.
    private func say(_ task: String, _ sql: String) throws {
        let answer = try attempt(sql, by: task)
        if answer.contains("ERROR") { throw WireMismatch("\(task): \(answer)") }
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
        try addFunctions(["put"])
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

    /// PostgreSQL would cut the names of all roles to the same 63 bytes, so the schema is refused.
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

    @Test func whoMayDeclareBrokersDead() throws {
        for task in Self.tasks {
            let said = try attempt("call declare_dead()", by: task)
            let isAllowed = ["worker", "operator"].contains(task)
            #expect(
                said.contains(isAllowed ? "there are no brokers" : "permission denied for procedure declare_dead"),
                "\(task): \(said)")
        }
    }
}
