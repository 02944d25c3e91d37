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
    /// Commands that the queue is given in one go at most, and that are decoded ahead: other clients have their turn
    /// too.
    static let maxFed = 256
    /// Bytes of replies that one go may lead to.
    private static let maxReplyBytes = 64 << 10
    /// How long a client that is being closed may take to read what it was told.
    private static let lingering = TimeAmount.seconds(60)

    private let loop: ClientLoop
    private let facts: @Sendable () -> ProcessFacts
    private var decoder: CommandDecoder
    private let encoder = ReplyEncoder()
    private var context: ChannelHandlerContext?
    private(set) var id: ConnectionID?

    private var input = ByteBuffer()
    /// Decoded, and not yet given to the queue.
    private var commands: Deque<Command> = []
    /// So many of them came before all loops were last asked what is new.
    private var covered = 0
    /// The next command has to wait until they have been, and they are being.
    private var isCurious = false
    private var isLookingAround = false
    /// How many commands there were when that began; they stay.
    private var lookedFor = 0
    /// The last turn has left commands that the queue would have taken.
    private var hasMore = false
    private var output = ByteBuffer()
    private var inputEnded = false
    private var isReading = true
    private var isFinishing = false
    /// The loop's last look at idle clients before this one was heard, answered, or seen to read.
    private var heardAt = 0
    /// Bytes that it had not read then.
    private var unread = Int.max
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
        heardAt = loop.looks
        loop.add(self, id)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
    }

    private func end() {
        guard let id else { return }
        self.id = nil
        loop.remove(id)
        loop.perform { queue, now in queue.closed(id, now: now) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFinishing else { return }
        heardAt = loop.looks
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
        loop.perform { queue, now in
            queue.inputEnded(id, now: now)
            // At once, so that whoever is heard next does not find it there.
            if commands.isEmpty, input.readableBytes == 0, decoder.isIdle { queue.closeIfFinished(id) }
        }
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
        while commands.count < ClientHandler.maxFed, let command = decoder.next(from: &input) {
            commands.append(command)
        }
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if input.readerIndex > input.readableBytes {
            input.discardReadBytes()
        }
    }

    /// Gives the queue the commands that it may have now, at most so many, and hardly more than one after `end`.
    func feed(_ queue: inout Queue, atMost share: Int, now: Instant, until end: Instant) {
        guard let id, let channel = context?.channel, !isFinishing, !loop.isDeaf else { return }
        let replyBytes = queue.replyBytes(loop.index)
        var fed = 0
        while queue.accepts(id), channel.isWritable {
            if commands.isEmpty, input.readableBytes > 0 { decode() }
            guard let command = commands.first else {
                if decoder.isReadingBody { queue.putLineReceived(id, isTooBig: false) }
                if decoder.isSwallowingBody { queue.putLineReceived(id, isTooBig: true) }
                if inputEnded { queue.closeIfFinished(id) }
                return
            }
            if command.showsOthers, covered == 0 { return isCurious = true }
            // Only where there is a command: most clients have one, and for them no clock is read.
            if fed == share || queue.replyBytes(loop.index) - replyBytes > ClientHandler.maxReplyBytes
                || fed % 4 == 1 && loop.now() > end
            {
                return hasMore = true
            }
            fed += 1
            commands.removeFirst()
            if covered > 0 { covered -= 1 }
            queue.receive(command, from: id, now: now)
            if case .quit = command { return }
        }
    }

    /// After `feed`, outside of the lock.
    func fed() {
        guard let channel = context?.channel, !isFinishing else { return }
        if hasMore { loop.plan(self) }
        hasMore = false
        if isCurious, !isLookingAround {
            isLookingAround = true
            lookedFor = commands.count
            loop.lookAround(for: self)
        }
        isCurious = false
        setReading(input.readableBytes < ClientHandler.maxWaitingBytes, channel)
    }

    /// All that came from others before the commands that were here has been given to the queue.
    func hasLookedAround() {
        isLookingAround = false
        covered = lookedFor
        loop.plan(self)
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
        heardAt = loop.looks
        unread = .max
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

    /// Sends what has been replied and closes; for the queue the client is gone.
    func finish() {
        guard !isFinishing else { return }
        flush()
        isFinishing = true
        closeWhenWritten()
        // Last: nobody else gets its jobs before it can see that it has them no more.
        end()
    }

    private func closeWhenWritten() {
        guard let context else { return }
        // It comes behind all that was written: a long reply that is still on its way out is not cut off.
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        let channel = context.channel
        let limit = context.eventLoop.scheduleTask(in: ClientHandler.lingering) { channel.close(promise: nil) }
        written.futureResult.whenComplete { _ in
            limit.cancel()
            channel.close(promise: nil)
        }
    }

    // MARK: Idleness

    /// Whether nothing has come from the client, and it has read nothing, in more than so many of the loop's looks.
    func isSilent(for looks: Int) -> Bool {
        guard loop.looks - heardAt > looks else { return false }
        let left = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard left > 0, left < unread else { return true }
        unread = left
        heardAt = loop.looks
        return false
    }

    func closeIdle() {
        isFinishing = true
        context?.close(promise: nil)
    }
}

extension Command {
    /// Whether the answer tells what other clients have done, and so must not miss what they did before. That needs a
    /// word with every loop: too much for commands that come by the thousand.
    fileprivate var showsOthers: Bool {
        switch self {
        case .stats, .statsTube, .statsJob, .listTubes: true
        default: false
        }
    }
}
