import Synchronization

/// A private PostgreSQL that accepts connections, and the claim on its data directory.
///
/// Letting go of it without `stop()` gives up the claim but leaves PostgreSQL running, as a killed broker would: the
/// next start on the data directory takes it over.
public final class RunningCluster: Sendable {
    /// The libpq connection string (keys and values) of the database `beanrow`.
    public let connectionString: String
    /// The absolute path of the data directory.
    public let dataDirectory: String
    /// The process id of PostgreSQL's main process.
    public let postmasterPID: Int32

    private let cluster: Cluster
    /// `nil` once stopped.
    private let lock: Mutex<DirectoryLock?>

    init(cluster: Cluster, postmaster: Postmaster, lock: DirectoryLock) {
        self.connectionString = Configuration.connectionString(socketDirectory: postmaster.socketDirectory)
        self.dataDirectory = cluster.directory.path
        self.postmasterPID = postmaster.pid
        self.cluster = cluster
        self.lock = Mutex(lock)
    }

    /// Stops PostgreSQL: ends its sessions, rolls back what they had not committed, and waits, up to 300 s, until it
    /// has ended. Then the data directory is free for another broker. A second call does nothing.
    ///
    /// - Throws: `EmbeddedPostgresError` when it did not end in time; the call can be repeated.
    public func stop() throws {
        try lock.withLock { held in
            guard held != nil else { return }
            try cluster.stop()
            held = nil
        }
    }
}
