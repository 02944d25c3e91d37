import LogKeys
public import Logging

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The private PostgreSQL of a broker that was given no database: a cluster in a directory of its own, which only its
/// owner can reach, and only through a Unix socket.
public struct EmbeddedPostgres: Sendable {
    /// The directory of the cluster, its socket and its log. It is made, with mode 0700, if it does not exist.
    public let dataDirectory: String
    /// The account that PostgreSQL runs as when the broker is root; PostgreSQL refuses root.
    public let user: String?
    /// Settings of PostgreSQL, by name. They apply when PostgreSQL is started, not when it is found running.
    public let settings: [String: String]
    private let logger: Logger

    /// - Parameters:
    ///   - dataDirectory: An existing data directory, an empty directory, or a path that does not exist.
    ///   - user: An account other than root. By default the owner of the data directory, else `postgres`, else
    ///     `nobody`. A user other than root can only name their own account.
    ///   - settings: Added to the built-in settings. Those that make the socket private cannot be changed.
    ///   - logger: Gets a line when a cluster is made, started or found, and when a start takes long.
    public init(dataDirectory: String, user: String? = nil, settings: [String: String] = [:], logger: Logger) {
        self.dataDirectory = dataDirectory
        self.user = user
        self.settings = settings
        self.logger = logger
    }

    /// Makes the cluster if there is none, starts it unless a killed broker has left it running, and waits until it
    /// accepts connections: up to 300 s, since recovery after a crash can take minutes. Blocks the thread.
    ///
    /// - Parameter control: Can cancel the start from another thread.
    /// - Returns: The running cluster.
    /// - Throws: `EmbeddedPostgresError`.
    public func start(control: StartControl = StartControl()) throws -> RunningCluster {
        try control.check()
        let directory = try DataDirectory(preparing: dataDirectory, user: user)
        let lock = try directory.takeLock()
        let cluster = try Cluster(directory: directory, logger: logger, control: control)
        let left = try Postmaster.find(in: directory)
        let postmaster: Postmaster
        do {
            try cluster.createIfMissing()
            postmaster = try cluster.start(settings: settings)
        } catch  where control.isCancelled {
            try withExtendedLifetime(lock) { try cluster.stopLeftover() }
            throw EmbeddedPostgresError.cancelled
        }
        logger.info(
            postmaster.pid == left?.pid ? "Found PostgreSQL running" : "Started PostgreSQL",
            metadata: [
                LogKey.version: "\(cluster.installation.major)",
                LogKey.pid: "\(postmaster.pid)",
                LogKey.path: "\(directory.path)",
            ]
        )
        return RunningCluster(
            cluster: cluster, postmaster: postmaster, lock: lock, settings: settings, control: control)
    }

    /// The default data directory: `/var/lib/beanrow` for root, otherwise `$XDG_DATA_HOME/beanrow` or
    /// `~/.local/share/beanrow`.
    public static func defaultDataDirectory() -> String {
        if geteuid() == 0 { return "/var/lib/beanrow" }
        // The XDG specification says that a relative path must be ignored.
        if let data = getenv("XDG_DATA_HOME").map({ String(cString: $0) }), data.hasPrefix("/") {
            return data + "/beanrow"
        }
        var home = getenv("HOME").map { String(cString: $0) } ?? ""
        if !home.hasPrefix("/") { home = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) } ?? "" }
        return home + "/.local/share/beanrow"
    }
}
