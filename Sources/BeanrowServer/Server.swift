import BeanstalkProtocol
import Dispatch
import LogKeys
public import Logging
import NIOCore
import NIOPosix
public import PostgresStore
import QueueCore
public import ServiceLifecycle
import Synchronization
import UnixSignals

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The broker's life: it listens, serves, and stops in order.
///
/// The socket is bound before anything else, as in beanstalkd: a port in use shows at once, and clients that connect
/// early wait and are not refused.
public final class Server: Service {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    let broker: Broker
    private let listener: any Channel
    private let connections: ConnectionLimit
    /// SIGUSR1, caught from the beginning: it ends a process that does not catch it.
    private let drainSignals: UnixSignalsSequence
    private let summary = Mutex<Logger.Metadata>([:])
    private let foundDatabase = Mutex<StoreSummary?>(nil)
    /// The address that clients connect to: `127.0.0.1:11300` or `unix:/path`.
    public let address: String

    /// Binds the socket.
    /// - Throws: `ServerError` when that cannot be done.
    public init(configuration: ServerConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let limit = ConnectionLimit(configuration.maxConnections, logger: logger)
        connections = limit
        drainSignals = await UnixSignalsSequence(trapping: .sigusr1)
        let threads = configuration.threads ?? max(1, min(System.coreCount / 2, 8))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.group = group
        var queue = Queue.Configuration()
        queue.cacheBytes = configuration.cacheBytes
        queue.databaseTimeout = Span(nanoseconds: Int64(configuration.databaseTimeout * 1e9))
        let broker = Broker(configuration: queue, loops: Array(group.makeIterator()))
        self.broker = broker
        do {
            for loop in broker.loops { try await loop.open() }
            listener = try await Server.bind(configuration, group, broker, limit)
        } catch let error as ServerError {
            try? await group.shutdownGracefully()
            throw error
        } catch {
            try? await group.shutdownGracefully()
            throw ServerError.cannotListen(
                configuration.address, configuration.port, reason: "\(error)")
        }
        address = Server.describe(listener, configuration)
        if let seconds = configuration.idleTimeout {
            let limit = TimeAmount.nanoseconds(Int64(seconds * 1e9))
            for loop in broker.loops { loop.eventLoop.execute { loop.closeIdle(after: limit) } }
        }
    }

    private static func bind(
        _ configuration: ServerConfiguration, _ group: MultiThreadedEventLoopGroup, _ broker: Broker,
        _ limit: ConnectionLimit
    ) async throws -> any Channel {
        let identity = ProcessIdentity(version: configuration.version, maxJobSize: configuration.maxJobSize)
        let maxJobSize = configuration.maxJobSize
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(limit))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // A second read nearly always finds nothing.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard limit.admit(channel) else {
                        return try channel.pipeline.syncOperations.addHandler(RefusalHandler())
                    }
                    let loop = broker.loops.first { $0.eventLoop === channel.eventLoop }!
                    let handler = ClientHandler(
                        loop: loop, maxJobSize: maxJobSize, facts: { identity.facts })
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        if let inherited = Systemd.inheritedSocket() {
            return try await bootstrap.withBoundSocket(inherited).get()
        }
        if let path = configuration.socketPath {
            try removeStaleSocket(path)
            return try await bootstrap.bind(unixDomainSocketPath: path).get()
        }
        bootstrap =
            bootstrap
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
        return try await bootstrap.bind(host: configuration.address, port: configuration.port).get()
    }

    /// Removes the socket file that a killed broker has left. Any other file is left alone.
    ///
    /// The check and the removal use one open directory. It may be another user's, who could put a link in its place
    /// between the two.
    private static func removeStaleSocket(_ path: String) throws {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        // Root can open every directory. For other users the whole path will do: such a link gives away no rights.
        let (base, name) =
            descriptor < 0 ? (AT_FDCWD, path) : (descriptor, slash.map { String(path[$0...].dropFirst()) } ?? path)
        var status = stat()
        guard fstatat(base, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ServerError.notASocket(path)
        }
        unlinkat(base, name, 0)
    }

    private static func describe(_ listener: any Channel, _ configuration: ServerConfiguration) -> String {
        guard let address = listener.localAddress, let ip = address.ipAddress, let port = address.port else {
            return configuration.address
        }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    /// Starts to keep jobs in a database. Commands that came before wait until this is done.
    /// - Throws: An error of the store when the database cannot be used.
    public func attach(_ configuration: StoreConfiguration) async throws {
        let store = Store(configuration: configuration, client: broker, logger: logger)
        broker.use(store)
        let found = try await store.start()
        foundDatabase.withLock { $0 = found }
        summary.withLock {
            $0 = [
                LogKey.address: "\(address)", LogKey.database: "\(found.database)",
                LogKey.schema: "\(configuration.schema)", LogKey.schemaVersion: "\(found.schemaVersion)",
                LogKey.durability: "\(configuration.durability.rawValue)",
                LogKey.version: "\(self.configuration.version)",
            ]
        }
    }

    /// The database, once it has been found.
    public var database: StoreSummary? { foundDatabase.withLock { $0 } }

    /// Serves until a graceful shutdown is asked for. After SIGUSR1 puts are refused with `DRAINING`.
    public func run() async throws {
        logger.notice("serving", metadata: summary.withLock { $0 })
        Systemd.notify("READY=1")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in self.drainSignals {
                    self.logger.notice("draining: puts are refused from now on")
                    self.broker.drain()
                }
            }
            tasks.addTask {
                try await gracefulShutdown()
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Stops in order: accepts no more connections and commands, waits until the writes that have begun are committed
    /// and answered, and gives the leases back. Takes up to about 4 s when the database does not answer.
    public func stop() async {
        logger.info("stopping")
        Systemd.notify("STOPPING=1")
        try? await listener.close()
        for loop in broker.loops { try? await loop.eventLoop.submit { loop.stopListening() }.get() }
        await wait(seconds: 1.5) { self.broker.isSettled }
        // Before the leases end: no client may hold a job that another broker can give out.
        for loop in broker.loops { try? await loop.eventLoop.submit { loop.closeAll() }.get() }
        await wait(seconds: 0.5) { self.connections.isEmpty && self.broker.isSettled }
        await withCheckedContinuation { continuation in
            // It joins threads, which blocks, so it does not run on the cooperative pool.
            DispatchQueue.global().async {
                self.broker.stopStore(within: 2)
                continuation.resume()
            }
        }
        try? await group.shutdownGracefully()
        if let path = configuration.socketPath { unlink(path) }
        logger.info("stopped")
    }

    /// Waits until a condition holds, for about `seconds` at most.
    private func wait(seconds: Double, until condition: () -> Bool) async {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !condition(), ContinuousClock.now < limit {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Why the server cannot listen.
public enum ServerError: Error, CustomStringConvertible {
    /// The address or path, and the port, which is unused for `unix:PATH`.
    case cannotListen(String, Int, reason: String)
    /// The path of `unix:PATH` is a file of another kind, which is left alone.
    case notASocket(String)

    public var description: String {
        switch self {
        case .cannotListen(let address, let port, let reason):
            address.hasPrefix("unix:")
                ? "cannot listen on \(address): \(reason)" : "cannot listen on \(address) port \(port): \(reason)"
        case .notASocket(let path): "cannot listen on unix:\(path): there is a file that is not a socket"
        }
    }
}
