import Foundation
import TestKit
import Testing

/// The password of the database appears in no output.
@Suite("Secrets stay secret")
struct SecretsTests {
    private static let password = "sesame-öffne dich"
    private static let escaped = "sesame-%C3%B6ffne%20dich"

    /// Runs a command to its end.
    /// - Returns: All that it printed.
    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let assignments = environment.map { "\($0)=\($1)" }
        let command = assignments + ["timeout", "55", try BrokerProcess.beanrowPath()] + arguments
        return try runProgram("/bin/sh", ["-c", "env \"$@\" 2>&1; echo exit $?", "sh"] + command)
    }

    private func expectNoSecret(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for part in ["sesame", "ffne", "dich"] {
            #expect(!text.contains(part), "in: \(text)", sourceLocation: sourceLocation)
        }
    }

    /// Connection strings: valid ones without a server, and malformed ones of many kinds.
    static let strings = [
        "host=/nonexistent password='\(password)'",
        "host=127.0.0.1 port=1 user=u password='\(password)'",
        "host=no.such.host.invalid password='\(password)' sslpassword='\(password)'",
        "postgresql://u:\(escaped)@127.0.0.1:1/db",
        "postgres://u:\(escaped)@no.such.host.invalid/db?connect_timeout=1",
        "postgresql:///db?host=/nonexistent&password=\(escaped)",
        // Not escaped, or malformed.
        "postgresql://u:sesame@dich@127.0.0.1:1/db",
        "postgresql://u:sesame/dich@127.0.0.1:1/db",
        "postgresql://u:sesame?dich@127.0.0.1:1/db",
        "postgresql://u:sesame#dich@127.0.0.1:1/db",
        "postgresql://u:sesame%zzdich@127.0.0.1:1/db",
        "postgresql://u:sesame dich@127.0.0.1:x/db",
        "postgresql://u:sesame@[::1/db",
        "host=127.0.0.1 password=sesame dich",
        "host=127.0.0.1 password='sesame",
        "host=127.0.0.1 passwort=sesame",
        "postgresqlx://u:sesame@127.0.0.1/db?x=y",
        "u:sesame@127.0.0.1",
    ]

    @Test(
        arguments: strings,
        [["-VV", "-p", "0", "--database-timeout", "0.2"], ["migrate", "up"], ["migrate", "role", "r"]])
    func aFailingConnection(string: String, command: [String]) throws {
        let printed = try run(command + ["--database", string])
        #expect(!printed.hasSuffix("exit 0\n"))
        // Without the word password this string is read as the name of a database.
        if string != "u:sesame@127.0.0.1" { expectNoSecret(printed) }
    }

    @Test func anImport() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data().write(to: URL(filePath: directory + "/binlog.1"))
        for string in Self.strings.prefix(8) {
            let printed = try run(["import", directory, "--database", string])
            #expect(printed.contains("cannot connect to PostgreSQL"))
            expectNoSecret(printed)
        }
    }

    private func temporaryDirectory() throws -> String {
        let directory = NSTemporaryDirectory() + "beanrow-secrets-\(UUID())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        return directory
    }

    @Test func aStringInTheWrongPlace() throws {
        expectNoSecret(try run(["serve", "postgresql://u:\(Self.escaped)@127.0.0.1/db"]))
        expectNoSecret(try run(["--databse", "postgresql://u:\(Self.escaped)@127.0.0.1/db"]))
        expectNoSecret(try run(["--databse=host=127.0.0.1 password='\(Self.password)'"]))
    }

    private func serverWithPasswords() throws -> PostgresServer {
        let postgres = try PostgresServer.started()
        _ = try postgres.psql(
            "create role keeper login password '\(Self.password)'; grant create on database postgres to keeper")
        try postgres.requirePasswords(of: "keeper")
        return postgres
    }

    /// A server that asks for a password, and a broker that gets it in each possible way.
    @Test func aServingBrokerAndAWrongPassword() throws {
        let postgres = try serverWithPasswords()
        let plain = "host=127.0.0.1 port=\(postgres.port) user=keeper dbname=postgres"
        let url = "postgresql://keeper:\(Self.escaped)@127.0.0.1:\(postgres.port)/postgres"

        let wrong = try run([
            "-VV", "-p", "0", "--database-timeout", "1", "--database", plain + " password=sesame-wrong",
        ])
        #expect(wrong.contains("password authentication failed"))
        expectNoSecret(wrong)

        for string in [plain + " password='\(Self.password)'", url] {
            let broker = try BrokerProcess.start(["-VV"], database: string)
            expectNoSecret(try String(contentsOfFile: "/proc/\(broker.pid)/cmdline", encoding: .utf8))
            expectNoSecret(try runProgram("/bin/ps", ["-ww", "-o", "args", "-p", "\(broker.pid)"]))
            #expect(broker.stderr.contains("a password stands on the command line"))
            let client = try broker.connect()
            try client.send("put 0 0 100 1\r\na\r\nstats\r\n")
            try client.expectInserted()
            let stats = try client.expectOK()
            expectNoSecret("\(stats.raw)")
            // Sessions are ended and come back, which gives many log lines.
            _ = try postgres.psql(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'beanrow'")
            try eventually("the broker is back") { broker.stderr.contains("the database is back") }
            try broker.stop()
            expectNoSecret(broker.stderr)
        }
        expectNoSecret(try run(["migrate", "status", "--database", url]))
    }

    @Test func safeWaysToPassAPassword() throws {
        let postgres = try serverWithPasswords()
        let plain = "host=127.0.0.1 port=\(postgres.port) user=keeper dbname=postgres"
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let passwords = directory + "/pgpass"
        try "127.0.0.1:\(postgres.port):*:keeper:\(Self.password)\n".write(
            toFile: passwords, atomically: true, encoding: .utf8)
        chmod(passwords, 0o600)
        let services = directory + "/services"
        try "[queue]\n\(plain.replacingOccurrences(of: " ", with: "\n"))\npassword=\(Self.password)\n"
            .write(toFile: services, atomically: true, encoding: .utf8)

        let ways: [(arguments: [String], environment: [String: String])] = [
            ([], ["BEANROW_DATABASE": plain + " password='\(Self.password)'"]),
            (["--database", plain], ["PGPASSWORD": Self.password]),
            (["--database", plain], ["PGPASSFILE": passwords]),
            (["--database", plain + " passfile=\(passwords)"], [:]),
            (["--database", "service=queue"], ["PGSERVICEFILE": services]),
        ]
        for way in ways {
            let printed = try run(["migrate", "up"] + way.arguments, environment: way.environment)
            #expect(
                printed.contains("schema beanrow is at version") && printed.hasSuffix("exit 0\n"), "\(way): \(printed)")
            expectNoSecret(printed)
        }
        let none = try run(["migrate", "up", "--database", plain], environment: ["PGPASSFILE": "/nonexistent"])
        #expect(none.contains("no password supplied"))
    }
}
