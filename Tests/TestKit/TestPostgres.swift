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
        // Only a crash of the machine could lose what is not synced, and no test makes one.
        try TestPostgres("postgres", settings: ["fsync": "off", "max_connections": "300"])
    }

    /// The cluster that the tests of this process share, started when first asked for.
    public static func shared() throws -> TestPostgres {
        try sharedResult.get()
    }

    /// A cluster for one test alone, which may stop it or crash it.
    public static func `private`() throws -> TestPostgres {
        try TestPostgres("private", settings: [:])
    }

    private init(_ name: String, settings: [String: String]) throws {
        directory = TestRun.shared.path(name)
        self.settings = settings
        let running = try Self.launch(directory, settings)
        connectionString = running.connectionString
        cluster.withLock { $0 = running }
        note.withLock { $0 = TestRun.shared.note(pid: running.postmasterPID) }
        TestRun.shared.atEnd { [weak self] in try? self?.stop() }
    }

    deinit {
        try? stop()
    }

    /// A schema name that this cluster has not seen.
    public func freshSchema() -> String {
        let number = schemas.withLock { number in
            number += 1
            return number
        }
        return "test_\(number)"
    }

    /// Runs SQL with the psql program; columns are separated by `|`, and the last newline is cut off.
    public func psql(_ sql: String) throws -> String {
        let program = try ChildProcess.find("psql")
        let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", connectionString, "-c", sql]
        let output = try ChildProcess.run(program, options)
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// Starts the cluster again, at the same address, after `stop` or `kill9`.
    public func start() throws {
        let running = try Self.launch(directory, settings)
        precondition(running.connectionString == connectionString, "the cluster has moved")
        cluster.withLock { $0 = running }
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

    /// SIGKILL to the postmaster and to all its children, as a power cut would end them.
    public func kill9() throws {
        let running = cluster.withLock { cluster in
            defer { cluster = nil }
            return cluster
        }
        guard let postmaster = running?.postmasterPID else { return }
        let children = try? ChildProcess.run(ChildProcess.find("pgrep"), ["-P", String(postmaster)])
        let pids = [postmaster] + (children ?? "").split(separator: "\n").compactMap { Int32($0) }
        // The postmaster first: it would restart what it sees dying.
        for pid in pids { kill(pid, SIGKILL) }
        try eventually("the processes of the cluster are gone") {
            pids.allSatisfy { !Self.isRunning($0) }
        }
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

    /// A dead process may stay as a zombie where nobody reaps it.
    private static func isRunning(_ pid: Int32) -> Bool {
        guard kill(pid, 0) == 0 else { return false }
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
    }
}
