import BeanstalkProtocol
import DequeModule
import NIOCore
import QueueCore

/// One client: its bytes become commands of the queue, the queue's replies become bytes.
///
/// It stops reading while the client may not be given more: when a reserve waits and bytes pile up behind it, and when
/// the client does not read its replies.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that may wait behind a command that is not done.
    private static let maxWaitingBytes = 64 << 10
    /// Commands that the queue is given in one go: other clients have their turn too.
    private static let maxFed = 256

    private let loop: ClientLoop
    private let facts: @Sendable () -> ProcessFacts
    private var decoder: CommandDecoder
    private let encoder = ReplyEncoder()
    private var context: ChannelHandlerContext?
    private(set) var id: ConnectionID?

    private var input = ByteBuffer()
    /// Decoded, and not yet given to the queue.
    private var commands: Deque<Command> = []
    /// The last turn has left commands that the queue would have taken.
    private var hasMore = false
    private var output = ByteBuffer()
    private var inputEnded = false
    private var isReading = true
    private var isFinishing = false
    /// Kept by the loop: a turn will come.
    var isPlanned = false

    init(loop: ClientLoop, maxJobSize: Int, facts: @escaping @Sendable () -> ProcessFacts) {
        self.loop = loop
        self.facts = facts
        decoder = CommandDecoder(maxJobSize: maxJobSize)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
    }

    private func begin() {
        guard id == nil else { return }
        let id = loop.perform { queue, now in queue.open(outbox: loop.index, now: now) }
        self.id = id
        loop.add(self, id)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard let id else { return }
        self.id = nil
        loop.remove(id)
        loop.perform { queue, now in queue.closed(id, now: now) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeBuffer(&bytes)
        }
        decode()
        loop.plan(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { loop.plan(self) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event, let id else { return }
        inputEnded = true
        loop.perform { queue, now in queue.inputEnded(id, now: now) }
        loop.plan(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A connection that broke; what it held goes back when it becomes inactive.
        context.close(promise: nil)
    }

    // MARK: Commands

    /// Turns what has come in into commands, unless some wait already.
    private func decode() {
        guard commands.isEmpty else { return }
        while let command = decoder.next(from: &input) { commands.append(command) }
        if input.readableBytes == 0 { input = ByteBuffer() } else { input.discardReadBytes() }
    }

    /// Gives the queue every command that it may have now.
    func feed(_ queue: inout Queue, now: Instant) {
        guard let id, let channel = context?.channel, !isFinishing else { return }
        var left = ClientHandler.maxFed
        while queue.accepts(id), channel.isWritable {
            if left == 0 { return hasMore = true }
            left -= 1
            if commands.isEmpty, input.readableBytes > 0 { decode() }
            guard let command = commands.popFirst() else {
                if decoder.isReadingBody { queue.announcedPut(id, isTooBig: false) }
                if decoder.isSwallowingBody { queue.announcedPut(id, isTooBig: true) }
                if inputEnded { queue.closeIfFinished(id) }
                return
            }
            queue.receive(command, from: id, now: now)
            if case .quit = command { return }
        }
    }

    /// After `feed`, outside of the lock.
    func fed() {
        guard let channel = context?.channel, !isFinishing else { return }
        if hasMore { loop.plan(self) }
        hasMore = false
        setReading(input.readableBytes < ClientHandler.maxWaitingBytes, channel)
    }

    private func setReading(_ reads: Bool, _ channel: any Channel) {
        guard reads != isReading, !inputEnded else { return }
        isReading = reads
        channel.setOption(.autoRead, value: reads).whenFailure { _ in }
    }

    // MARK: Replies

    /// - Returns: whether the handler is to be flushed, since it was not before.
    func write(_ reply: Reply) -> Bool {
        guard !isFinishing else { return false }
        let wasEmpty = output.readableBytes == 0
        encoder.encode(reply, facts: facts(), into: &output)
        return wasEmpty
    }

    func flush() {
        guard output.readableBytes > 0, let context else { return }
        // Taken out first: the write may make the channel writable again, and so bring this about once more.
        let bytes = output
        output = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Sends what has been replied and closes.
    func finish() {
        guard !isFinishing else { return }
        flush()
        isFinishing = true
        context?.close(promise: nil)
    }
}
