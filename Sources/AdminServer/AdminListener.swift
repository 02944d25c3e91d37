import AdminAPI
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import PostgresStore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The admin listener of a broker: it listens from its making on, and serves what it can. `/healthz` is answered at once,
/// all else when the broker has its database.
public final class AdminListener: Sendable {
    typealias Channel = NIOAsyncChannel<HTTP1Channel.Value, Never>

    /// Connections at most; more are closed at once.
    static let connectionLimit = 512
    /// The seconds that a connection may be idle, and that a request may take to arrive.
    static let patience: Int64 = 60

    private let address: AdminConfiguration.Address
    private let group: MultiThreadedEventLoopGroup
    private let channel: Channel
    private let http: HTTP1Channel
    private let site: Site
    private let logger: Logger
    private let serving = Mutex<Task<Void, Never>?>(nil)
    private let hasEnded = Flag()
    /// What browsers open: `http://127.0.0.1:11380/`, or `unix:PATH`.
    public let url: String

    /// Binds the socket and begins to serve.
    /// - Throws: `AdminError`.
    public init(_ configuration: AdminConfiguration, broker: any BrokerView, logger: Logger) async throws {
        self.logger = logger
        address = configuration.address
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let site = Site(configuration, broker: broker)
        self.site = site
        let http = HTTP1Channel(
            responder: { request, writer, channel in
                let response = await site.respond(to: request, from: channel)
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: .init(
                additionalChannelHandlers: [RequestDeadline(seconds: AdminListener.patience)],
                idleTimeout: .seconds(AdminListener.patience),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
        self.http = http
        do {
            channel = try await AdminListener.bind(configuration.address, group, http, AdminListener.quiet(logger))
        } catch {
            try? await group.shutdownGracefully()
            throw AdminError.cannotListen(configuration.address, reason: "\(error)")
        }
        switch configuration.address {
        case .unix(let path): url = "unix:\(path)"
        case .tcp:
            let local = channel.channel.localAddress
            let host = local?.ipAddress ?? ""
            url = "http://\(host.contains(":") ? "[\(host)]" : host):\(local?.port ?? 0)\(configuration.basePath)"
        }
        let quiet = AdminListener.quiet(logger)
        let channel = channel
        let hasEnded = hasEnded
        serving.withLock {
            $0 = Task {
                await AdminListener.serve(channel, http, quiet)
                hasEnded.value.store(true, ordering: .relaxed)
            }
        }
    }

    /// Serves what is in the database too.
    public func use(_ configuration: StoreConfiguration) {
        site.use(AdminStore(configuration: configuration))
    }

    /// Ends all connections, streams of events too. Takes up to a second.
    public func stop() async {
        try? await channel.channel.close()
        serving.withLock { $0 }?.cancel()
        let limit = ContinuousClock.now + .seconds(1)
        while !hasEnded.value.load(ordering: .relaxed), ContinuousClock.now < limit {
            try? await Task.sleep(for: .milliseconds(5))
        }
        if case .unix(let path) = address { unlink(path) }
        site.stop()
        try? await group.shutdownGracefully()
    }

    private static func bind(
        _ address: AdminConfiguration.Address, _ group: MultiThreadedEventLoopGroup, _ http: HTTP1Channel,
        _ logger: Logger
    ) async throws -> Channel {
        let count = Counter()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // The backlog of a slow reader, after which its stream of events waits.
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
        let setUp: @Sendable (any NIOCore.Channel) -> EventLoopFuture<HTTP1Channel.Value> = { channel in
            if count.value.wrappingAdd(1, ordering: .relaxed).newValue > connectionLimit { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in count.value.wrappingSubtract(1, ordering: .relaxed) }
            return http.setup(channel: channel, logger: logger)
        }
        switch address {
        case .tcp(let host, let port):
            return try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
        case .unix(let path):
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: setUp)
        }
    }

    private static func serve(_ channel: Channel, _ http: HTTP1Channel, _ logger: Logger) async {
        await withDiscardingTaskGroup { tasks in
            do {
                try await channel.executeThenClose { connections in
                    for try await connection in connections {
                        tasks.addTask { await http.handle(value: connection, logger: logger) }
                    }
                }
            } catch {
                // The listener was closed.
            }
            tasks.cancelAll()
        }
    }

    /// Hummingbird's lines are of use only at the level trace.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        if logger.logLevel > .trace { logger.logLevel = .critical }
        return logger
    }
}

/// A number that closures share.
private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

/// True once something is over.
private final class Flag: Sendable {
    let value = Atomic(false)
}
