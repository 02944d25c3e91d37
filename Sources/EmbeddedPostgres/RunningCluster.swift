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
    /// The open data directory, for as long as this object lives: what is below it may belong to another account, so
    /// whoever opens its files by name from here follows no link to elsewhere.
    public var directoryDescriptor: Int32 { cluster.directory.descriptor.number }
    /// The process id of PostgreSQL's main process when it was last started or found.
    public var postmasterPID: Int32 { state.withLock { $0.postmasterPID } }

    private struct State {
        /// `nil` once stopped.
        var lock: DirectoryLock?
        var postmasterPID: Int32
    }

    private let cluster: Cluster
    private let settings: [String: String]
    private let control: StartControl
    private let state: Mutex<State>

    init(
        cluster: Cluster, postmaster: Postmaster, lock: DirectoryLock, settings: [String: String], control: StartControl
    ) {
        self.connectionString = Configuration.connectionString(socketDirectory: postmaster.socketDirectory)
        self.dataDirectory = cluster.directory.path
        self.cluster = cluster
        self.settings = settings
        self.control = control
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
            do {
                state.postmasterPID = try cluster.start(settings: settings).pid
            } catch  where control.isCancelled {
                try cluster.stopLeftover()
                throw EmbeddedPostgresError.cancelled
            }
            return true
        }
    }

    /// Gives a restart up that is under way on another thread, and all later ones. To be followed by `stop`.
    public func cancelRestart() { control.cancel() }

    /// Stops PostgreSQL: ends its sessions, rolls back what they had not committed, and waits, up to 300 s, until it
    /// has ended. Then the data directory is free for another broker. A second call does nothing. A restart that is
    /// under way on another thread is given up.
    ///
    /// - Throws: `EmbeddedPostgresError` when it did not end in time; the call can be repeated.
    public func stop() throws {
        // A restart that is under way may take long.
        control.cancel()
        try state.withLock { state in
            guard state.lock != nil else { return }
            try cluster.stop()
            state.lock = nil
        }
    }
}
