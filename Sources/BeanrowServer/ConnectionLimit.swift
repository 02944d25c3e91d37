import LogKeys
import Logging
import NIOCore
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The number of clients that may be connected at once.
///
/// It leaves some file descriptors free, whatever clients do: without one the broker could not reconnect to its
/// database.
final class ConnectionLimit: Sendable {
    /// Descriptors that are not for clients.
    private static let reservedDescriptors = 64
    /// The time between two log lines of the same kind.
    private static let logInterval = TimeAmount.seconds(10)

    let count: Int
    private let connected = Atomic(0)
    private let logger: Logger
    private let refusals = Mutex(EventCount())
    private let acceptFailures = Mutex(EventCount())

    /// Counts events of one kind between two log lines about them.
    private struct EventCount {
        var times = 0
        var nextLine = NIODeadline.uptimeNanoseconds(0)

        /// Counts an event.
        /// - Returns: The number of events since the last log line if another line may be logged now, else `nil`.
        mutating func happened() -> Int? {
            times += 1
            let now = NIODeadline.now()
            guard now >= nextLine else { return nil }
            nextLine = now + ConnectionLimit.logInterval
            defer { times = 0 }
            return times
        }
    }

    /// `count` is the limit; `nil` for as many clients as there are file descriptors for.
    init(_ count: Int?, logger: Logger) {
        self.count = min(count ?? .max, ConnectionLimit.availableDescriptors())
        self.logger = logger
    }

    var isEmpty: Bool { connected.load(ordering: .relaxed) == 0 }

    /// Counts a client until its channel is closed.
    /// - Returns: `false` when there are too many; the client is then not counted.
    func admit(_ channel: any Channel) -> Bool {
        guard connected.add(1, ordering: .relaxed).newValue <= count else {
            connected.subtract(1, ordering: .relaxed)
            if let times = refusals.withLock({ $0.happened() }) {
                logger.warning(
                    "clients were turned away: the limit of connections is reached", metadata: metadata(times))
            }
            return false
        }
        channel.closeFuture.whenComplete { _ in self.connected.subtract(1, ordering: .relaxed) }
        return true
    }

    /// Logs that a connection could not be accepted.
    func acceptFailed(_ error: any Error) {
        if let times = acceptFailures.withLock({ $0.happened() }) {
            var metadata = metadata(times)
            metadata[LogKey.error] = "\(error)"
            logger.warning("connections could not be accepted", metadata: metadata)
        }
    }

    private func metadata(_ times: Int) -> Logger.Metadata {
        [LogKey.count: "\(times)", LogKey.connections: "\(connected.load(ordering: .relaxed))"]
    }

    /// The number of descriptors for clients, after raising this process's limit as far as the system allows.
    private static func availableDescriptors() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return .max }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        return max(1, Int(clamping: limit.rlim_cur) - reservedDescriptors)
    }
}

/// Stops accepting for a moment after a failure, which mostly is a lack of descriptors: the listener stays readable, so
/// NIO would try again at once and for ever. (NIO's `AcceptBackoffHandler` delays the next read, but leaves the failed
/// one pending.)
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let length = TimeAmount.milliseconds(100)

    private let limit: ConnectionLimit

    init(_ limit: ConnectionLimit) {
        self.limit = limit
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        limit.acceptFailed(error)
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenFailure { _ in }
        context.eventLoop.scheduleTask(in: AcceptPause.length) {
            channel.setOption(.autoRead, value: true).whenFailure { _ in }
        }
    }
}

/// Refuses a client above the limit, and closes its connection.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "OUT_OF_MEMORY\r\n")), promise: nil)
        context.close(promise: nil)
    }
}
