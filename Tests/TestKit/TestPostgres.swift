import EmbeddedPostgres
import Foundation
import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A PostgreSQL cluster that lives no longer than the test process.
public final class TestPostgres: Sendable {
    private let directory: String
    private let settings: [String: String]
    private let cluster = Mutex<RunningCluster?>(nil)
    private let schemas = Mutex(0)
    private let note = Mutex<String?>(nil)
    public let connectionString: String

    private static let sharedResult = Result {
        try TestPostgres("postgres", settings: ["max_connections": "300"])
    }

    /// The cluster that the tests of this process share, started when first asked for.
    public static func shared() throws -> TestPostgres {
        try sharedResult.get()
    }

    /// A cluster for one test alone, which may stop it or crash it.
    ///
    /// - Parameters:
    ///   - settings: PostgreSQL's settings by name, added to the built-in ones.
    ///   - directory: The folder for its data directory; the test run's own by default.
    /// - Returns: The running cluster.
    /// - Throws: `EmbeddedPostgresError` when it does not start.
    public static func `private`(
        settings: [String: String] = [:], in directory: String? = nil
    ) throws -> TestPostgres {
        try TestPostgres("private", settings: settings, in: directory)
    }

    private init(_ name: String, settings: [String: String], in parent: String? = nil) throws {
        directory = parent.map { "\($0)/\(name)" } ?? TestRun.shared.path(name)
        // Without fsync only a crash of the machine loses data, and no test causes one. A cluster that is killed leaves
        // its shared memory behind: as files in its directory it is removed with that.
        self.settings = ["fsync": "off", "dynamic_shared_memory_type": "mmap"].merging(settings) { $1 }
        let running = try Self.launch(directory, self.settings)
        connectionString = running.connectionString
        cluster.withLock { $0 = running }
        note.withLock { $0 = TestRun.shared.note(pid: running.postmasterPID) }
        TestRun.shared.atEnd { [weak self] in try? self?.stop() }
    }

    deinit {
        try? stop()
    }

    /// A schema name that no test on this cluster has used.
    public func freshSchema() -> String {
        let number = schemas.withLock { number in
            number += 1
            return number
        }
        return "test_\(number)"
    }

    /// Runs SQL with the psql program; columns are separated by `|`, and the last newline is cut off.
    public func psql(_ sql: String) throws -> String {
        try runPSQL(connectionString, sql)
    }

    /// Runs a file of SQL and psql's own commands.
    public func runScript(_ text: String) throws {
        let path = TestRun.shared.path("script")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        defer { unlink(path) }
        _ = try ChildProcess.run(psqlProgram.get(), ["-X", "-w", "-q", "-d", connectionString, "-f", path])
    }

    /// Starts the cluster again, at the same address, after `stop` or `kill9`.
    public func start() throws {
        let running = try Self.launch(directory, settings)
        precondition(running.connectionString == connectionString, "the cluster has moved")
        cluster.withLock { $0 = running }
        noteProcess(of: running)
    }

    private func noteProcess(of running: RunningCluster) {
        let new = TestRun.shared.note(pid: running.postmasterPID)
        note.withLock { note in
            if let note { unlink(note) }
            note = new
        }
    }

    /// A fast shutdown: sessions are cut, their transactions rolled back.
    public func stop() throws {
        let running = cluster.withLock { cluster in
            defer { cluster = nil }
            return cluster
        }
        try running?.stop()
    }

    /// Sends SIGKILL to the postmaster and all its children, as if the power was cut.
    public func kill9() throws {
        try end(by: signal(SIGKILL))
    }

    /// An immediate shutdown: sessions are cut, no checkpoint is written, and the next start recovers.
    public func stopImmediately() throws {
        let pids = processes
        if let postmaster = pids.first { kill(postmaster, SIGQUIT) }
        try end(by: pids)
    }

    /// Waits until these processes are gone, then forgets the cluster.
    private func end(by pids: [Int32]) throws {
        try eventually("the processes of the cluster are gone") {
            pids.allSatisfy { !processRuns($0) }
        }
        cluster.withLock { $0 = nil }
    }

    /// Sends SIGSTOP to all processes: sessions stay open and get no answers.
    public func freeze() {
        signal(SIGSTOP)
    }

    /// Ends what `freeze` began.
    public func thaw() {
        signal(SIGCONT)
    }

    /// Starts the cluster again if it has ended by itself.
    ///
    /// - Returns: True if it had ended and was started.
    @discardableResult
    public func startIfEnded() throws -> Bool {
        guard let running = cluster.withLock({ $0 }), try running.restartIfEnded() else { return false }
        noteProcess(of: running)
        return true
    }

    /// Sends a signal to all processes and returns their pids.
    @discardableResult
    private func signal(_ number: Int32) -> [Int32] {
        // The postmaster first: it restarts when a child dies.
        let pids = processes
        for pid in pids { kill(pid, number) }
        return pids
    }

    /// The postmaster and its children; none when it is not running.
    private var processes: [Int32] {
        guard let postmaster = cluster.withLock({ $0?.postmasterPID }) else { return [] }
        let children = try? ChildProcess.run(ChildProcess.find("pgrep"), ["-P", String(postmaster)])
        return [postmaster] + (children ?? "").split(separator: "\n").compactMap { Int32($0) }
    }

    // MARK: Through a proxy

    /// The name of the socket in its directory; libpq makes it from the port.
    private static let socketName = ".s.PGSQL.5432"

    /// The directory of the socket that the cluster listens on.
    var socketDirectory: String {
        String(connectionString.drop { $0 != "'" }.dropFirst().prefix { $0 != "'" })
    }

    /// A proxy in front of the cluster. Through a Unix socket libpq asks for no encryption.
    ///
    /// - Returns: The proxy, and the connection string that leads through it.
    public func proxy() throws -> (proxy: FaultProxy, connectionString: String) {
        let directory = TestRun.shared.path("proxy")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let proxy = try FaultProxy(
            at: .unix(path: "\(directory)/\(Self.socketName)"),
            to: .unix(path: "\(socketDirectory)/\(Self.socketName)"), content: .postgres)
        return (proxy, connectionString.replacing(socketDirectory, with: directory))
    }

    private static func launch(_ directory: String, _ settings: [String: String]) throws -> RunningCluster {
        var logger = Logger(label: "test.postgres")
        logger.logLevel = .error
        return try EmbeddedPostgres(
            dataDirectory: directory,
            user: nil,
            settings: settings,
            logger: logger
        ).start()
    }
}
