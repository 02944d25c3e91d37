import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A private PostgreSQL that accepts connections, and the claim on its data directory.
///
/// Letting go of it without `stop()` gives up the claim but leaves PostgreSQL running, as a killed broker would: the
/// next start on the data directory takes it over.
public final class RunningCluster: Sendable {
    /// The libpq connection string (keys and values) of the database `beanrow`.
    public let connectionString: String
    /// The absolute path of the data directory.
    public let dataDirectory: String
    /// The process id of PostgreSQL's main process when it was last started or found.
    public var postmasterPID: Int32 { state.withLock { $0.postmasterPID } }

    private struct State {
        /// `nil` once stopped.
        var lock: DirectoryLock?
        var postmasterPID: Int32
    }

    private let cluster: Cluster
    private let settings: [String: String]
    private let state: Mutex<State>

    init(cluster: Cluster, postmaster: Postmaster, lock: DirectoryLock, settings: [String: String]) {
        self.connectionString = Configuration.connectionString(socketDirectory: postmaster.socketDirectory)
        self.dataDirectory = cluster.directory.path
        self.cluster = cluster
        self.settings = settings
        state = Mutex(State(lock: lock, postmasterPID: postmaster.pid))
    }

    /// Starts PostgreSQL again when it has ended without having been asked to: a crash, or the kernel's want of
    /// memory. Waits, up to 300 s, until it accepts connections; they lead where they led before.
    ///
    /// - Returns: Whether it had ended.
    /// - Throws: `EmbeddedPostgresError` when it does not start; the call can be repeated.
    public func restartIfEnded() throws -> Bool {
        try state.withLock { state in
            guard state.lock != nil, try Postmaster.find(in: cluster.directory) == nil else { return false }
            state.postmasterPID = try cluster.start(settings: settings).pid
            return true
        }
    }

    /// Ends PostgreSQL at once, whatever else is being done to it: without a checkpoint, so that the next start replays
    /// its log. Waits up to 2 s. For a process that is about to end.
    public func abort() {
        guard let postmaster = try? Postmaster.find(in: cluster.directory) else { return }
        kill(postmaster.pid, SIGQUIT)
        for _ in 0..<200 where kill(postmaster.pid, 0) == 0 { usleep(10_000) }
    }

    /// Stops PostgreSQL: ends its sessions, rolls back what they had not committed, and waits, up to 300 s, until it
    /// has ended. Then the data directory is free for another broker. A second call does nothing.
    ///
    /// - Throws: `EmbeddedPostgresError` when it did not end in time; the call can be repeated.
    public func stop() throws {
        try state.withLock { state in
            guard state.lock != nil else { return }
            try cluster.stop()
            state.lock = nil
        }
    }
}
