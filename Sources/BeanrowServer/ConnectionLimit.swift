import Foundation
import LogKeys
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// How many clients may be connected at once.
///
/// Some file descriptors stay free whatever clients do: without one the broker could not connect to its database again.
final class ConnectionLimit: Sendable {
    /// Descriptors that are not for clients.
    private static let reserved = 64
    /// Between two log lines of the same kind.
    private static let silence = TimeAmount.seconds(10)

    let count: Int
    private let connected = Atomic(0)
    private let logger: Logger
    private let refused = NIOLockedValueBox(Complaint())
    private let unaccepted = NIOLockedValueBox(Complaint())

    /// What is said once in a while: how often since.
    private struct Complaint {
        var times = 0
        var next = NIODeadline.uptimeNanoseconds(0)

        /// Counts; returns how often it has happened since it was last told, when it may be told again.
        mutating func happened() -> Int? {
            times += 1
            let now = NIODeadline.now()
            guard now >= next else { return nil }
            next = now + ConnectionLimit.silence
            defer { times = 0 }
            return times
        }
    }

    /// `count`: as many as asked for, `nil` for as many as there are file descriptors.
    init(_ count: Int?, logger: Logger) {
        self.count = min(count ?? .max, ConnectionLimit.descriptors())
        self.logger = logger
    }

    var isEmpty: Bool { connected.load(ordering: .relaxed) == 0 }

    /// Lets a client in, until its channel is closed.
    /// - Returns: false when it is one too many.
    func enter(_ channel: any Channel) -> Bool {
        guard connected.add(1, ordering: .relaxed).newValue <= count else {
            connected.subtract(1, ordering: .relaxed)
            if let times = refused.withLockedValue({ $0.happened() }) {
                logger.warning("clients were turned away: there are as many as may be", metadata: metadata(times))
            }
            return false
        }
        channel.closeFuture.whenComplete { _ in self.connected.subtract(1, ordering: .relaxed) }
        return true
    }

    /// A connection could not be accepted.
    func couldNotAccept(_ error: any Error) {
        if let times = unaccepted.withLockedValue({ $0.happened() }) {
            var metadata = metadata(times)
            metadata[LogKey.error] = "\(error)"
            logger.warning("connections could not be accepted", metadata: metadata)
        }
    }

    private func metadata(_ times: Int) -> Logger.Metadata {
        [LogKey.count: "\(times)", LogKey.connections: "\(connected.load(ordering: .relaxed))"]
    }

    /// How many clients the descriptors are enough for, with as many as the system allows.
    private static func descriptors() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return .max }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        return max(1, Int(clamping: limit.rlim_cur) - reserved)
    }
}

/// Stops accepting for a moment when that fails, for want of descriptors: the listener stays readable, and would be
/// read again and again. (NIO's `AcceptBackoffHandler` delays the next read, but leaves the failed one pending.)
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let length = TimeAmount.milliseconds(100)

    private let limit: ConnectionLimit

    init(_ limit: ConnectionLimit) {
        self.limit = limit
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        limit.couldNotAccept(error)
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenFailure { _ in }
        context.eventLoop.scheduleTask(in: AcceptPause.length) {
            channel.setOption(.autoRead, value: true).whenFailure { _ in }
        }
    }
}

/// Tells a client that is one too many to come back later, and closes.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "OUT_OF_MEMORY\r\n")), promise: nil)
        context.close(promise: nil)
    }
}
