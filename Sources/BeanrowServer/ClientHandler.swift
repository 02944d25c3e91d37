import BeanstalkProtocol
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

    private let broker: Broker
    private let loop: ClientLoop
    private let facts: @Sendable () -> ProcessFacts
    private var decoder: CommandDecoder
    private let encoder = ReplyEncoder()
    private var context: ChannelHandlerContext?
    private(set) var id: ConnectionID?

    private var input = ByteBuffer()
    private var output = ByteBuffer()
    private var inputEnded = false
    private var isReading = true
    private var isFinishing = false

    init(broker: Broker, loop: ClientLoop, maxJobSize: Int, facts: @escaping @Sendable () -> ProcessFacts) {
        self.broker = broker
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
        let id = broker.perform(on: loop) { queue, now in queue.open(outbox: loop.index, now: now) }
        self.id = id
        loop.add(self, id)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard let id else { return }
        self.id = nil
        loop.remove(id)
        broker.perform(on: loop) { queue, now in queue.closed(id, now: now) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeBuffer(&bytes)
        }
        process()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { process() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event, let id else { return }
        inputEnded = true
        broker.perform(on: loop) { queue, now in queue.inputEnded(id, now: now) }
        process()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A connection that broke; what it held goes back when it becomes inactive.
        context.close(promise: nil)
    }

    /// Gives the queue every command that has come in and that it may have now.
    func process() {
        guard let id, let channel = context?.channel, !isFinishing else { return }
        broker.perform(on: loop) { queue, now in
            while queue.accepts(id), channel.isWritable {
                guard let command = decoder.next(from: &input) else {
                    if decoder.isReadingBody { queue.announcedPut(id, isTooBig: false) }
                    if decoder.isSwallowingBody { queue.announcedPut(id, isTooBig: true) }
                    if inputEnded { queue.closeIfFinished(id) }
                    return
                }
                queue.receive(command, from: id, now: now)
                if case .quit = command { return }
            }
        }
        if input.readableBytes == 0 { input = ByteBuffer() } else { input.discardReadBytes() }
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
