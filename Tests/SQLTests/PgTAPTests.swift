import Foundation
import PostgresStore
import TestKit
import Testing

/// The functions and views, tested in SQL: the files beside this one.
@Suite("The queue from SQL") struct PgTAPTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    static let stories =
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path))?
        .filter { $0.hasSuffix(".sql") }.sorted() ?? []

    /// A database where pgTAP is installed, with a second queue beside the first.
    private func database() throws -> SQLDatabase {
        let database = try SQLDatabase()
        guard try database.run("select count(*) from pg_available_extensions where name = 'pgtap'") == "1" else {
            throw WireMismatch(
                "PostgreSQL has no extension pgtap: install the package postgresql-15-pgtap (script/test does)")
        }
        try database.run("create extension pgtap")
        return database
    }

    @Test(arguments: stories) func story(_ file: String) throws {
        let database = try database()
        try Migrator(database: database.connectionString, schema: "Second queue").up()
        let tap = TAP(try database.run(file: Self.directory.appending(path: file).path))
        for problem in tap.problems { Issue.record("\(file): \(problem)") }
    }

    @Test func thereAreStories() {
        #expect(Self.stories.count >= 7)
    }

    @Test func aFailedAssertionIsSeenAndSoIsOneThatDidNotRun() throws {
        let database = try database()
        #expect(
            TAP(try database.run("select plan(2); select ok(true, 'a'); select is(1, 2, 'b'); select * from finish()"))
                .problems == ["not ok 2 - b\n# Failed test 2: \"b\"\n#         have: 1\n#         want: 2"])
        #expect(
            TAP(try database.run("select plan(2); select ok(true, 'a'); select * from finish()")).problems
                == ["2 assertions are planned, and 1 ran"])
        #expect(TAP("").problems == ["no assertions are planned, and 0 ran"])
        #expect(throws: WireMismatch.self) { try database.run("select plan(1); select no_such_function()") }
    }
}
