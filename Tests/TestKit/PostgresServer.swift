import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A PostgreSQL server that a test starts, stops, kills and halts.
public final class PostgresServer: Sendable {
    let directory: String
    // Held while the server is down, too: clients have been given the number.
    private let heldPort: ServerAddress.HeldPort
    private let process = Mutex<ChildProcess?>(nil)
    private let clock: FakeClock?

    init(clock: FakeClock? = nil) throws {
        self.clock = clock
        heldPort = try ServerAddress.HeldPort()
        directory = TestRun.shared.path("server")
        Unprivileged.makeDirectory(directory)
        TestRun.shared.atEnd { [weak self] in try? self?.kill9() }
    }

    deinit {
        try? kill9()
    }

    /// A new server that runs.
    ///
    /// - Parameter clock: The clock that it uses; the machine's by default.
    /// - Returns: The server.
    /// - Throws: `WireMismatch` when it does not start.
    public static func started(clock: FakeClock? = nil) throws -> PostgresServer {
        let server = try PostgresServer(clock: clock)
        try server.initialize()
        try server.start()
        return server
    }

    public var port: UInt16 { heldPort.number }

    public var connectionString: String { "host=127.0.0.1 port=\(port) user=beanrow dbname=postgres" }

    /// A new cluster.
    func initialize() throws {
        _ = try run(
            "initdb", ["-D", directory, "-U", "beanrow", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        // As with `TestPostgres`.
        try configure(
            "fsync = off\ndynamic_shared_memory_type = mmap\nunix_socket_directories = ''\nwal_keep_size = '256MB'\n")
    }

    /// Makes this server the standby of another one.
    func copy(_ primary: PostgresServer) throws {
        _ = try run("pg_basebackup", ["-D", directory, "-d", primary.connectionString, "-c", "fast", "--no-sync"])
        try configure("primary_conninfo = '\(primary.connectionString) application_name=standby'\n")
        try append("", to: "standby.signal")
    }

    private func configure(_ lines: String) throws {
        try append("listen_addresses = '127.0.0.1'\nport = \(port)\n" + lines, to: "postgresql.conf")
    }

    /// Appends to a file, which stays owned by the cluster's account: PostgreSQL accepts no other owner.
    private func append(_ text: String, to file: String) throws {
        _ = try ChildProcess.run("/bin/sh", ["-c", "cat >>\(directory)/\(file) <<'END'\n\(text)END"])
        if let account = Unprivileged.account { chown("\(directory)/\(file)", account.user, account.group) }
    }

    /// Starts the server and waits until it can be asked.
    public func start() throws {
        let postgres = try ChildProcess.find("postgres", orIn: Self.installations)
        let (executable, arguments) = try Unprivileged.command(
            "env", (clock?.environment ?? []) + [postgres, "-D", directory])
        let child = try ChildProcess(executable, arguments, output: TestRun.shared.path("server-log"))
        process.withLock { $0 = child }
        try eventually("the server on port \(port) answers") {
            if let code = child.exitCode { throw WireMismatch("it has ended with \(code): \(child.printed)") }
            return (try? psql("select 1")) == "1"
        }
        _ = TestRun.shared.note(pid: child.pid)
    }

    /// Sends SIGKILL to all its processes, as if the power was cut.
    public func kill9() throws {
        let child = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let child else { return }
        try killCluster(postmaster: child.pid)
        _ = child.waitForExit()
    }

    /// Stops all its processes with SIGSTOP: connections stay open and get no answers. `kill9` ends it.
    public func halt() throws {
        guard let child = process.withLock({ $0 }) else { return }
        for pid in try clusterProcesses(of: child.pid) { kill(pid, SIGSTOP) }
    }

    /// Runs SQL; columns are separated by `|`.
    public func psql(_ sql: String) throws -> String {
        try runPSQL(connectionString, sql)
    }

    /// Changes a setting that needs no restart.
    public func set(_ name: String, to value: String) throws {
        _ = try psql("alter system set \(name) = '\(value)'")
        _ = try psql("select pg_reload_conf()")
    }

    /// From here on this role needs its password; other roles need none.
    public func requirePasswords(of role: String) throws {
        let access = try String(contentsOfFile: "\(directory)/pg_hba.conf", encoding: .utf8)
        let line = "host all \(role) 127.0.0.1/32 scram-sha-256\n"
        try (line + access).write(toFile: "\(directory)/pg_hba.conf", atomically: false, encoding: .utf8)
        _ = try psql("select pg_reload_conf()")
        try eventually("the role is asked for its password") {
            (try? runPSQL("host=127.0.0.1 port=\(port) user=\(role) dbname=postgres", "select 1")) == nil
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let (executable, arguments) = try Unprivileged.command(program, arguments, orIn: Self.installations)
        return try ChildProcess.run(executable, arguments)
    }

    fileprivate static var installations: [String] {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.sorted { Int($0) ?? 0 > Int($1) ?? 0 }.map { "/usr/lib/postgresql/\($0)/bin" }
    }
}

/// A postmaster and its children.
func clusterProcesses(of postmaster: Int32) throws -> [Int32] {
    let children = try? ChildProcess.run(ChildProcess.find("pgrep"), ["-P", String(postmaster)])
    return [postmaster] + (children ?? "").split(separator: "\n").compactMap { Int32($0) }
}

/// SIGKILL to a whole cluster; returns when its processes are gone.
func killCluster(postmaster: Int32) throws {
    let pids = try clusterProcesses(of: postmaster)
    // The postmaster first: it restarts when a child dies.
    for pid in pids { kill(pid, SIGKILL) }
    try eventually("the processes of the cluster are gone") { pids.allSatisfy { !processRuns($0) } }
}

/// Whether a process runs. A zombie counts as dead: some containers have nobody who reaps it.
public func processRuns(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 else { return false }
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
}

/// The path of PostgreSQL's own psql. Debian's /usr/bin/psql is a Perl script around it that takes far longer than a query.
public let psqlProgram = Result {
    let own = PostgresServer.installations.map { "\($0)/psql" }
    return try own.first { FileManager.default.isExecutableFile(atPath: $0) } ?? ChildProcess.find("psql")
}

/// Runs SQL with the psql program; columns are separated by `|`, and the last newline is cut off.
public func runPSQL(_ connectionString: String, _ sql: String) throws -> String {
    try runPSQL(connectionString, ["-c", sql])
}

/// Runs a file with the psql program until the first error. Its messages are part of the output.
public func runPSQL(_ connectionString: String, file: String) throws -> String {
    try runPSQL(connectionString, ["-f", file])
}

private func runPSQL(_ connectionString: String, _ what: [String]) throws -> String {
    let program = try psqlProgram.get()
    let options = ["-X", "-w", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", connectionString]
    // A file may have work for a minute on a machine that is busy.
    let output = try ChildProcess.run(program, options + what, within: 10 * patience)
    return output.hasSuffix("\n") ? String(output.dropLast()) : output
}
