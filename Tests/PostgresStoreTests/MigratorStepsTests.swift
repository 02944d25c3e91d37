import TestKit
import Testing

@testable import PostgresStore

@Suite("Steps give way to brokers at work, and can be repeated after a failure")
struct MigratorStepsTests {
    let db: Database
    private let odd = Migration.all.last!.version + 1

    init() throws {
        db = try Database()
        // Otherwise a test that fails would wait for ever.
        try db.run("set statement_timeout to '30s'")
    }

    private func migrator(
        _ last: Migration, _ patience: Migrator.Patience = .init(), named name: String = "migrator"
    ) throws -> Migrator {
        let connection = try Connection(db.configuration(name).database)
        return Migrator(connection, schema: db.schema, migrations: Migration.all + [last], patience: patience)
    }

    // MARK: Indexes that are built concurrently

    private var index: Migration {
        Migration(
            version: odd, name: "odd",
            up: """
                -- Without a transaction.
                create unique index concurrently if not exists job_odd on job (priority);

                """,
            down: """
                -- Without a transaction.
                drop index concurrently if exists job_odd;

                """)
    }

    /// Puts two jobs that the unique index cannot both hold.
    private func putTwins() throws {
        let tube = try db.addTube()
        try db.run(
            """
            insert into job (id, priority, ttr, delay, created_at, due_at, tube_id, state, body)
            select id, 7, 1, 0, now(), now(), \(tube), 0, '' from generate_series(1, 2) as id
            """)
    }

    private var isValid: String {
        get throws { try db.rows("select indisvalid from pg_index where indexrelid = to_regclass('job_odd')") }
    }

    @Test func anIndexIsBuiltAndDroppedWithoutATransaction() throws {
        #expect(try migrator(index).up() == odd)
        #expect(try isValid == "(t)")
        #expect(try migrator(index).status().last?.isApplied == true)
        #expect(try migrator(index).down() == odd - 1)
        #expect(try isValid == "")
        #expect(try migrator(index).status().last?.isApplied == false)
    }

    @Test func aBuildThatFailedIsRepairedByTheNextRun() throws {
        try putTwins()
        for _ in 1...2 {
            #expect(throws: StoreError.self) { try migrator(index).up() }
            #expect(try isValid == "(f)")
            #expect(try migrator(index).status().last?.isApplied == false)
        }
        try db.run("update job set priority = id")
        #expect(try migrator(index).up() == odd)
        #expect(try isValid == "(t)")
    }

    @Test func aBuildThatFailedIsRepairedByThePrintedScript() throws {
        try putTwins()
        let script = try migrator(index).upScript().text
        #expect(throws: (any Error).self) { try db.server.runScript(script) }
        #expect(try isValid == "(f)")
        try db.run("update job set priority = id")
        try db.server.runScript(script)
        #expect(try isValid == "(t)")
        #expect(try migrator(index).check() == odd)
    }

    /// A migrator that held a snapshot while it waits would deadlock with the build, which waits for snapshots.
    @Test func aSecondMigratorWaitsWhileTheFirstBuilds() throws {
        let writer = try db.session()
        try writer.run("begin; lock table job in row exclusive mode")
        let first = try Background(migrator(index, named: "first")) { try $0.up() }
        try db.waitUntilBlocked("first")
        let second = try Background(migrator(index, named: "second")) { try $0.up() }
        try eventually("the second migrator asks for its turn") {
            try db.holds(
                """
                exists (select from pg_stat_activity
                    where application_name = '\(db.sessions) second' and query like '%advisory%')
                """)
        }
        #expect(!first.hasEnded && !second.hasEnded)
        try writer.run("commit")
        #expect(try first.value() == odd)
        #expect(try second.value() == odd)
        #expect(try isValid == "(t)")
    }

    // MARK: Locks

    private var column: Migration {
        Migration(
            version: odd, name: "odd", up: "alter table job add column odd integer;\n",
            down: "alter table job drop column odd;\n")
    }

    private var hasColumn: Bool {
        get throws {
            try db.holds("exists (select from pg_attribute where attrelid = 'job'::regclass and attname = 'odd')")
        }
    }

    @Test func aStepGivesWayToOthersAndSucceedsWhenTheLockIsFree() throws {
        let holder = try db.session()
        try holder.run("begin; select from job")
        let up = try Background(migrator(column, .init(limit: 100, tries: 1000, pause: 1))) { try $0.up() }
        for _ in 1...3 {
            try db.waitUntilBlocked("migrator")
            // Waits behind the step, and gets its lock although the holder keeps its own.
            try db.run("select from job for update")
        }
        #expect(try !hasColumn)
        #expect(!up.hasEnded)
        try holder.run("commit")
        #expect(try up.value() == odd)
        #expect(try hasColumn)
    }

    @Test func aStepThatGetsNoLockFailsAndNamesTheHolder() throws {
        let holder = try Connection(db.configuration("holder").database)
        try holder.run("begin")
        try holder.run("select from \(identifier(db.schema)).job")
        let patience = Migrator.Patience(limit: 50, tries: 3, pause: 1)
        let backend = try holder.backend
        #expect {
            _ = try migrator(column, patience).up()
        } throws: { error in
            let text = "\(error)"
            return text.contains("got no lock on its tables in 3 tries")
                && text.contains("process \(backend) of \(db.sessions) holder")
        }
        #expect(try !hasColumn)
        try holder.run("rollback")
        #expect(try migrator(column, patience).up() == odd)
    }

    @Test func aFailureOfAnotherKindIsNotRepeated() throws {
        let broken = Migration(version: odd, name: "odd", up: "alter table job add column id integer;\n", down: "")
        #expect {
            _ = try migrator(broken).up()
        } throws: { error in
            (error as? StoreError)?.sqlState == "42701"
        }
    }
}
