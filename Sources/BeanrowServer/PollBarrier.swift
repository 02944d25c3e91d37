import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A pipe from an event loop to itself.
///
/// A byte sent through it comes back after the loop has polled the system once more, together with all that the loop's
/// sockets had before. A task of the loop does not show that: the loop runs tasks as long as there are any.
final class PollBarrier: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var waiting: [@Sendable () -> Void] = []

    /// Opens the pipe. Its handler is given to `use` on the loop.
    static func open(on eventLoop: any EventLoop, use: @escaping @Sendable (PollBarrier) -> Void) async throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        // The programs that this process starts, PostgreSQL among them, must not inherit it.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = try await NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let barrier = PollBarrier()
                    try channel.pipeline.syncOperations.addHandler(barrier)
                    use(barrier)
                }
            }
            .takingOwnershipOfDescriptors(input: ends[0], output: ends[1]).get()
    }

    /// Calls `done` when the loop has taken in what its sockets have now. To be called in a task of the loop.
    func afterNextPoll(_ done: @escaping @Sendable () -> Void) {
        guard let context else { return done() }
        waiting.append(done)
        // A byte that is under way was sent by another task since the last poll, so it serves this call too.
        if waiting.count == 1 { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [0])), promise: nil) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        finish(on: context.eventLoop)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        finish(on: context.eventLoop)
    }

    private func finish(on eventLoop: any EventLoop) {
        for done in waiting {
            // After the turns that sockets of the same poll schedule, whether they are handled before this or after.
            eventLoop.execute { eventLoop.execute(done) }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
