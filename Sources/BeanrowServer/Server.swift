import BeanstalkProtocol
import Foundation
import LogKeys
public import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
public import PostgresStore
import QueueCore
public import ServiceLifecycle
import UnixSignals

/// Listens, serves, and ends in order.
///
/// The socket is bound before anything else, as beanstalkd does it: a port that is taken shows at once, and clients
/// that come early wait instead of being turned away.
public final class Server: Service {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let broker: Broker
    private let listener: any Channel
    private let connections: ConnectionLimit
    /// Heard from the beginning: unheard, SIGUSR1 ends a process.
    private let drains: UnixSignalsSequence
    private let summary = NIOLockedValueBox<Logger.Metadata>([:])
    /// What clients connect to: `127.0.0.1:11300` or `unix:/path`.
    public let address: String

    /// Binds the socket.
    /// - Throws: `ServerError` when that cannot be done.
    public init(configuration: ServerConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let limit = ConnectionLimit(configuration.maxConnections, logger: logger)
        connections = limit
        drains = await UnixSignalsSequence(trapping: .sigusr1)
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
            // A second read would nearly always find nothing.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard limit.enter(channel) else {
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

    /// A socket file is left behind by a killed broker; any other file is somebody's. Both are asked of one directory:
    /// it may be another user's, who could put a link in its place in between.
    private static func removeStaleSocket(_ path: String) throws {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        // Root may open each; for anybody else the whole path is as good.
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

    /// Starts to keep jobs in this database; commands that came before have waited for it.
    public func attach(_ configuration: StoreConfiguration) async throws {
        let store = Store(configuration: configuration, client: broker, logger: logger)
        broker.use(store)
        let found = try await store.start()
        summary.withLockedValue {
            $0 = [
                LogKey.address: "\(address)", LogKey.database: "\(found.database)",
                LogKey.schema: "\(configuration.schema)", LogKey.schemaVersion: "\(found.schemaVersion)",
                LogKey.durability: "\(configuration.durability.rawValue)",
                LogKey.version: "\(self.configuration.version)",
            ]
        }
    }

    /// Serves until told to stop; SIGUSR1 turns puts away.
    public func run() async throws {
        logger.notice("serving", metadata: summary.withLockedValue { $0 })
        Systemd.notify("READY=1")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in self.drains {
                    self.logger.notice("draining: puts are turned away from now on")
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

    /// Accepts no more connections and commands, lets what is under way be committed and answered, and gives the
    /// leases back. Takes up to about 4 s: as long as that when the database does not answer.
    public func stop() async {
        logger.info("stopping")
        Systemd.notify("STOPPING=1")
        try? await listener.close()
        for loop in broker.loops { try? await loop.eventLoop.submit { loop.stopListening() }.get() }
        await wait(seconds: 1.5) { self.broker.isSettled }
        // Before their leases end: nobody holds a job that another broker may give out.
        for loop in broker.loops { try? await loop.eventLoop.submit { loop.closeAll() }.get() }
        await wait(seconds: 0.5) { self.connections.isEmpty && self.broker.isSettled }
        await withCheckedContinuation { continuation in
            // Joining threads blocks: not on the cooperative pool.
            DispatchQueue.global().async {
                self.broker.stopStore(within: 2)
                continuation.resume()
            }
        }
        try? await group.shutdownGracefully()
        if let path = configuration.socketPath { unlink(path) }
        logger.info("stopped")
    }

    /// Waits, about so long at most, until this is so.
    private func wait(seconds: Double, until condition: () -> Bool) async {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !condition(), ContinuousClock.now < limit {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}

public enum ServerError: Error, CustomStringConvertible {
    case cannotListen(String, Int, reason: String)
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
