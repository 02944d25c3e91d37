import Foundation
import NIOCore
import NIOPosix

/// A pipe from an event loop to itself.
///
/// What is sent through it comes back when the loop has asked the system for news once more, and so with all that its
/// sockets had before. A task of the loop tells nothing of the kind: tasks go on as long as there are any.
final class LoopEcho: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var waiting: [@Sendable () -> Void] = []

    /// Opens the pipe; its handler is given to `use` on the loop.
    static func open(on eventLoop: any EventLoop, use: @escaping @Sendable (LoopEcho) -> Void) async throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        // The children of this process, PostgreSQL among them, have no business with it.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = try await NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let echo = LoopEcho()
                    try channel.pipeline.syncOperations.addHandler(echo)
                    use(echo)
                }
            }
            .takingOwnershipOfDescriptors(input: ends[0], output: ends[1]).get()
    }

    /// In a task of the loop: calls `done` when the loop has taken in what its sockets have now.
    func send(_ done: @escaping @Sendable () -> Void) {
        guard let context else { return done() }
        waiting.append(done)
        // One that is under way has been sent by another task since the loop last asked.
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
            // Behind the turns that others of the same news plan, be they handled before this one or after it.
            eventLoop.execute { eventLoop.execute(done) }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
