import Foundation

/// PgBouncer in front of a cluster, on a port of 127.0.0.1.
public final class PgBouncer: Sendable {
    /// When PgBouncer takes a server session back from a client.
    public enum Mode: String, Sendable { case session, transaction, statement }

    public let connectionString: String
    private let port: ServerAddress.HeldPort
    private let child: ChildProcess
    private let note: String

    /// Starts PgBouncer and waits until it reaches the cluster. `settings`: lines of its configuration, as `name = value`.
    public init(_ mode: Mode, before postgres: TestPostgres, settings: [String] = []) throws {
        port = try ServerAddress.HeldPort()
        let directory = TestRun.shared.path("pgbouncer")
        Unprivileged.makeDirectory(directory)
        let configuration = """
            [databases]
            beanrow = host=\(postgres.socketDirectory) port=5432
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port.number)
            unix_socket_dir =
            auth_type = trust
            auth_file = \(directory)/users
            pool_mode = \(mode.rawValue)
            admin_users = beanrow
            server_login_retry = 1
            \(settings.joined(separator: "\n"))

            """
        for (name, text) in [("pgbouncer.ini", configuration), ("users", "\"beanrow\" \"\"\n")] {
            try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
        }
        connectionString = "host=127.0.0.1 port=\(port.number) user=beanrow dbname=beanrow"
        let (executable, arguments) = try Unprivileged.command(
            "pgbouncer", ["\(directory)/pgbouncer.ini"], orIn: ["/usr/sbin"])
        let child = try ChildProcess(executable, arguments, output: TestRun.shared.path("pgbouncer-log"))
        self.child = child
        note = TestRun.shared.note(pid: child.pid)
        try eventually("pgbouncer leads to the cluster") {
            if let code = child.exitCode { throw WireMismatch("pgbouncer has ended with \(code): \(child.printed)") }
            return (try? psql("select 1")) == "1"
        }
    }

    deinit {
        child.signal(SIGKILL)
        _ = child.waitForExit()
        unlink(note)
    }

    /// Makes it open this many server sessions, by clients that work at the same time.
    public func open(servers count: Int) throws {
        let console = connectionString.replacing("dbname=beanrow", with: "dbname=pgbouncer")
        let client = "psql -X -w -q -d '\(connectionString)' -c 'select pg_sleep(0.5)'"
        try eventually("pgbouncer has \(count) sessions of the server") {
            _ = try ChildProcess.run(
                "/bin/sh", ["-c", String(repeating: "\(client) & ", count: count) + "wait"])
            return try runPSQL(console, "show servers").split(separator: "\n").count >= count
        }
    }

    /// Runs SQL through it; columns are separated by `|`.
    public func psql(_ sql: String) throws -> String {
        try runPSQL(connectionString, sql)
    }
}
