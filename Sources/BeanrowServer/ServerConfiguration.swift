/// What `beanrow serve` was asked for.
public struct ServerConfiguration: Sendable {
    /// An address or host name, or `unix:PATH`.
    public var address = "127.0.0.1"
    /// 0 takes a free one.
    public var port = 11300
    /// Bytes a body may have.
    public var maxJobSize = 65535
    /// The account to become once the socket is bound.
    public var user: String?
    /// Bytes of jobs kept in memory ahead of reserves.
    public var cacheBytes = 64 << 20
    /// Seconds that a write waits for the database.
    public var databaseTimeout = 10.0
    /// Event loops for connections; by default half of the cores, the other half is PostgreSQL's.
    public var threads: Int?
    /// Clients that may be connected at once; by default as many as there are file descriptors for.
    public var maxConnections: Int?
    /// Seconds after which a client that does nothing is closed; by default never.
    public var idleTimeout: Double?
    public var version = "0"

    public init() {}

    /// The path of `unix:PATH`.
    var socketPath: String? { address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil }
}
