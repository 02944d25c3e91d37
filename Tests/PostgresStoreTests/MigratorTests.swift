import Foundation
import Synchronization
import TestKit
import Testing

@testable import PostgresStore

@Suite("The schema is migrated up and down, and a schema of another version is refused")
struct MigratorTests {
    let db: Database
    let latest = Migration.all.count

    init() throws {
        db = try Database(isMigrated: false)
    }

    private func migrator() throws -> Migrator {
        try Migrator(database: db.server.connectionString, schema: db.schema)
    }

    private func hasTable(_ name: String) throws -> Bool {
        try db.holds("to_regclass(\(literal("\(identifier(db.schema)).\(name)"))) is not null")
    }

    private var schemaOID: String { "\(literal(identifier(db.schema)))::regnamespace" }

    @Test func upFillsAnEmptySchema() throws {
        #expect(try migrator().up() == latest)
        #expect(try hasTable("job"))
        #expect(try migrator().status().allSatisfy { $0.isApplied })
        #expect(try migrator().check() == latest)
    }

    @Test func upTwiceChangesNothing() throws {
        try migrator().up()
        let before = try db.rows("select version, applied_at from migration")
        #expect(try migrator().up() == latest)
        #expect(try db.rows("select version, applied_at from migration") == before)
    }

    @Test func twoMigratorsAtOnceBothSucceed() throws {
        let versions = Mutex<[Int]>([])
        let failures = Mutex<[String]>([])
        let conninfo = db.server.connectionString
        let schema = db.schema
        try onThreads(2) { _ in
            do {
                let version = try Migrator(database: conninfo, schema: schema).up()
                versions.withLock { $0.append(version) }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(versions.withLock { $0 } == [latest, latest])
    }

    @Test func anEmptySchemaHasNoAppliedMigration() throws {
        let status = try migrator().status()
        #expect(status.map(\.version) == Migration.all.map(\.version))
        #expect(status.map(\.name) == Migration.all.map(\.name))
        #expect(!status.contains { $0.isApplied })
    }

    @Test func downDropsEverythingAndUpMakesItAgain() throws {
        try migrator().up()
        for version in (0..<latest).reversed() { #expect(try migrator().down() == version) }
        let left = "select relname from pg_class where relnamespace = \(schemaOID)"
        #expect(try db.rows("\(left) and relkind in ('r', 'v', 'S')") == "(migration)")
        #expect(try db.number("select count(*) from pg_proc where pronamespace = \(schemaOID)") == 0)
        #expect(try !migrator().status().contains { $0.isApplied })
        #expect(try migrator().down() == 0)
        #expect(try migrator().up() == latest)
        #expect(try hasTable("job"))
    }

    @Test func aNewerSchemaIsRefused() throws {
        try migrator().up()
        try db.run("insert into migration (version, name, checksum) values (99, 'from the future', 0)")
        for attempt in [Migrator.up, Migrator.down, Migrator.check] {
            #expect { _ = try attempt(migrator())() } throws: { error in
                if case .schemaTooNew(found: 99, known: latest)? = error as? StoreError { true } else { false }
            }
        }
    }

    /// Its tables stay as they are.
    @Test(arguments: [1, 17]) func aSchemaOfADevelopmentVersionIsRefused(version: Int) throws {
        try db.run(
            """
            create schema \(identifier(db.schema));
            create table migration (
                version integer primary key, name text not null, checksum bigint not null,
                applied_at timestamptz not null default now());
            insert into migration (version, name, checksum)
            select version, case version when 1 then 'jobs' else 'later' end, 0
            from generate_series(1, \(version)) as version
            """)
        let attempts: [(Migrator) throws -> Void] = [
            { try $0.up() }, { try $0.down() }, { _ = try $0.check() }, { _ = try $0.status() },
            { _ = try $0.upScript() },
        ]
        for attempt in attempts {
            #expect { try attempt(migrator()) } throws: { error in
                "\(error)".contains("made by a development version") && "\(error)".contains("docs/operations.md")
            }
        }
        #expect(try db.number("select count(*) from migration") == version)
        #expect(try !hasTable("job"))
    }

    @Test func anEditedMigrationIsRefused() throws {
        try migrator().up()
        try db.run("update migration set checksum = checksum + 1 where version = 1")
        #expect { try migrator().up() } throws: { error in
            if case .migrationChanged(version: 1)? = error as? StoreError { true } else { false }
        }
    }

    @Test func aMissingSchemaIsTooOld() throws {
        #expect { _ = try migrator().check() } throws: { error in
            if case .schemaTooOld(found: 0, known: latest)? = error as? StoreError { true } else { false }
        }
    }

    @Test func checkAndStatusCreateNothing() throws {
        _ = try? migrator().check()
        _ = try? migrator().status()
        #expect(try !db.holds("exists (select from pg_namespace where nspname = \(literal(db.schema)))"))
    }

    /// A broker's role may work with the tables and need not own them.
    @Test func checkingNeedsNoRightToCreate() throws {
        try migrator().up()
        let role = "\(db.schema)_role"
        try db.run(
            """
            create role \(role);
            grant usage on schema \(identifier(db.schema)) to \(role);
            grant select, insert, update, delete on all tables in schema \(identifier(db.schema)) to \(role)
            """)
        let conninfo = "\(db.server.connectionString) options='-c role=\(role)'"
        #expect(throws: Never.self) {
            try Migrator(database: conninfo, schema: db.schema).check()
        }
    }

    @Test func aFailedStepLeavesTheMigratorUsable() throws {
        // The first step fails because of this table.
        try db.run("create schema \(identifier(db.schema)); create table tube (id integer)")
        let migrator = try migrator()
        #expect(throws: StoreError.self) { try migrator.up() }
        try db.run("drop table tube")
        #expect(try migrator.up() == latest)
    }
}

@Suite("The program contains the files of migrations")
struct MigrationFilesTests {
    private var directory: URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../migrations").standardized
    }

    @Test func namesAndContentsAreTheSame() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
        var expected: [String] = []
        for migration in Migration.all {
            let number = String(String(10_000 + migration.version).dropFirst())
            for (kind, sql) in [("up", migration.up), ("down", migration.down)] {
                let name = "\(number)_\(migration.name).\(kind).sql"
                expected.append(name)
                #expect(try String(contentsOf: directory.appending(path: name), encoding: .utf8) == sql)
            }
        }
        #expect(files.filter { $0.hasSuffix(".sql") }.sorted() == expected.sorted())
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }
}
