/// The options of `beanrow serve`.
public struct ServerConfiguration: Sendable {
    /// An IP address, a host name, or `unix:PATH`.
    public var address = "127.0.0.1"
    /// A TCP port; 0 takes a free one.
    public var port = 11300
    /// The largest body, in bytes.
    public var maxJobSize = 65535
    /// Memory for jobs that are read ahead of reserves, in bytes.
    public var cacheBytes = 64 << 20
    /// Seconds that a write waits for the database.
    public var databaseTimeout = 10.0
    /// Event loops for connections. By default half of the cores: PostgreSQL gets the other half.
    public var threads: Int?
    /// Clients that may be connected at once. By default as many as there are file descriptors for.
    public var maxConnections: Int?
    /// Seconds after which an idle client is closed. By default never.
    public var idleTimeout: Double?
    /// The version that `stats` reports.
    public var version = "0"

    /// The defaults of the command line.
    public init() {}

    /// The path of `unix:PATH`.
    var socketPath: String? { address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil }
}
