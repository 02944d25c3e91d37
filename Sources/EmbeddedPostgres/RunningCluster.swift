import Files
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A private PostgreSQL that accepts connections, and the lock on its data directory.
///
/// Releasing this object without `stop()` releases the lock but leaves PostgreSQL running, as the death of a broker
/// does. The next start on the data directory finds it.
public final class RunningCluster: Sendable {
    /// The libpq connection string (in key=value form) of the database `beanrow`.
    public let connectionString: String
    /// The absolute path of the data directory.
    public let dataDirectory: String
    /// The open data directory; valid as long as this object lives. Files below it may belong to another account, so
    /// open them by name from this descriptor, without following links.
    public var directoryDescriptor: Int32 { cluster.directory.descriptor.number }
    /// The id of PostgreSQL's main process when it was last started or found.
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

    /// Restarts PostgreSQL if it has ended by itself: after a crash, or killed for lack of memory. Waits, up to 300 s,
    /// until it accepts connections. The connection string stays the same. Blocks the thread.
    ///
    /// - Returns: Whether it had ended.
    /// - Throws: `EmbeddedPostgresError` when it does not start. The call can be repeated.
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

    /// Cancels a restart that is under way on another thread, and all later ones. Call `stop` afterwards.
    public func cancelRestart() { control.cancel() }

    /// Stops PostgreSQL: ends its sessions, rolls back what they have not committed, and waits, up to 300 s, until it
    /// has ended. Then the lock is released. A second call does nothing. A restart that is under way on another thread
    /// is cancelled. Blocks the thread.
    ///
    /// - Throws: `EmbeddedPostgresError` when PostgreSQL has not ended in time. The call can be repeated.
    public func stop() throws {
        // A restart may take minutes, and holds the lock of the state.
        control.cancel()
        try state.withLock { state in
            guard state.lock != nil else { return }
            try cluster.stop()
            state.lock = nil
        }
    }
}
