import Foundation
import TestKit
import Testing

/// Texts from outside are part of log lines. They cannot begin a line and contain no control characters.
@Suite struct LogTests {
    /// A text with a line break, a line that looks like the broker's, and a terminal colour.
    private let evil = "a\n2026-01-01T00:00:00+0000 critical beanrow: [x] \u{1b}[31m\u{7f}\u{9b}2J\u{202e}\u{2028}b"
    private let tame = #"a\n2026-01-01T00:00:00+0000 critical beanrow: [x] \u{1b}[31m\u{7f}\u{9b}2J\u{202e}\u{2028}b"#

    /// All characters are printable, and each line begins as the broker's lines do.
    private func expectPlain(_ log: String) {
        for line in log.split(separator: "\n") {
            #expect(line.contains(/^[0-9-]{10}T[0-9:+-]+ (info|notice|warning|error|critical) beanrow:/), "\(line)")
            #expect(
                line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, "\(line.debugDescription)"
            )
            #expect(
                line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .format }, "\(line.debugDescription)")
        }
    }

    @Test func theNameOfAPreparedTransaction() throws {
        let postgres = try TestPostgres.private(settings: ["max_prepared_transactions": "2"])
        _ = try postgres.psql("alter database beanrow set beanrow.old_snapshot = '0 seconds'")
        let schema = postgres.freshSchema()
        let broker = try BrokerProcess.start(postgres: postgres, schema: schema)
        _ = try postgres.psql(
            "begin; create table kept (id int); prepare transaction '\(evil)'")
        try eventually("the warning is logged") {
            broker.stderr.contains("old snapshot") && broker.stderr.hasSuffix("\n")
        }
        #expect(broker.stderr.contains(tame))
        expectPlain(broker.stderr)
        _ = try postgres.psql("rollback prepared '\(evil)'")
    }

    /// Metadata, and a name that may come from somebody else than the operator.
    @Test func theNameOfASchema() throws {
        let broker = try BrokerProcess.start(schema: "schema \u{1b}]0;x\u{7}\ny")
        #expect(broker.stderr.contains(#"schema=schema \u{1b}]0;x\u{7}\ny"#))
        expectPlain(broker.stderr)
    }

    @Test func anErrorOfTheStart() throws {
        let beanrow = try BrokerProcess.beanrowPath()
        let printed = try runProgram(
            "/bin/sh",
            [
                "-c", "\"$@\" 2>&1; echo exit $?", "sh", beanrow, "serve", "--no-http", "-p", "0", "-b",
                "/nonexistent\n/\u{1b}[31m",
            ])
        let lines = printed.split(separator: "\n")
        #expect(lines.last == "exit 1")
        #expect(printed.contains(#"/nonexistent\n/\u{1b}[31m"#), "\(printed)")
        expectPlain(lines.dropLast().joined(separator: "\n"))
    }

    /// The server's notices while the schema is made: they come from somebody's function, and libpq prints them as they are.
    @Test func aRemarkOfTheServer() throws {
        let postgres = try TestPostgres.private()
        _ = try postgres.psql(
            """
            create function remark() returns event_trigger language plpgsql as
            $$begin raise warning '%', e'\(evil)'; end$$;
            create event trigger remark on ddl_command_end execute function remark()
            """)
        let beanrow = try BrokerProcess.beanrowPath()
        let printed = try runProgram(
            "/bin/sh", ["-c", "\"$@\" 2>&1", "sh", beanrow, "migrate", "up", "--database", postgres.connectionString])
        #expect(printed.contains("WARNING:  " + tame))
        #expect(!printed.contains("\u{1b}"))
    }

    /// Output that is printed, not logged, keeps its line breaks but no other control characters.
    @Test(arguments: [
        ["--\u{1b}[31m\u{9b}red"], ["migrate", "up", "--database", "host=/nonexistent user=\u{1b}[31m\u{202e}x"],
    ])
    func anErrorOnTheTerminal(arguments: [String]) throws {
        let beanrow = try BrokerProcess.beanrowPath()
        let printed = try runProgram("/bin/sh", ["-c", "\"$@\" 2>&1; echo exit $?", "sh", beanrow] + arguments)
        #expect(
            printed.unicodeScalars.allSatisfy {
                $0 == "\n" || $0 == "\t" || ![.control, .format].contains($0.properties.generalCategory)
            })
        #expect(printed.contains(#"\u{1b}[31m"#) || !printed.contains("[31m"), "\(printed)")
    }

    @Test func aLineHasAnEnd() throws {
        let beanrow = try BrokerProcess.beanrowPath()
        let long = String(repeating: "x", count: 100_000)
        let printed = try runProgram(
            "/bin/sh",
            ["-c", "\"$@\" 2>&1; echo exit $?", "sh", beanrow, "serve", "--no-http", "-p", "0", "-b", "/\(long)"])
        #expect(printed.utf8.count < 10_000)
        #expect(printed.contains("more characters)"))
    }
}
