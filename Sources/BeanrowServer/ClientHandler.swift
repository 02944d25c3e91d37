import BeanstalkProtocol
import DequeModule
import NIOCore
import QueueCore

/// One client: its bytes become commands of the queue, and the queue's replies become bytes.
///
/// The handler stops reading from the socket while more than `maxWaitingBytes` wait behind a command that is not done,
/// and takes no further commands while the client does not read its replies.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that may wait behind a command that is not done.
    private static let maxWaitingBytes = 64 << 10
    /// Commands that one client may give the queue in one turn, and the number that is decoded ahead, so that other
    /// clients get their share.
    static let maxCommandsPerTurn = 256
    /// Bytes of replies after which a client's part of the turn ends.
    private static let maxReplyBytes = 64 << 10
    /// Time that a client has to read its last replies before its connection is closed.
    private static let closeTimeout = TimeAmount.seconds(60)

    private let loop: ClientLoop
    private let facts: @Sendable () -> ProcessFacts
    private var decoder: CommandDecoder
    private let encoder = ReplyEncoder()
    private var context: ChannelHandlerContext?
    private(set) var id: ConnectionID?

    private var input = ByteBuffer()
    /// Decoded, and not yet given to the queue.
    private var commands: Deque<Command> = []
    private var freshness = FreshnessGate()
    /// The turn ended before the queue had all the commands that it would have taken.
    private var hasMore = false
    private var output = ByteBuffer()
    private var inputEnded = false
    private var isReading = true
    private var isFinishing = false
    private var activity = LastActivity()
    private var connectedAt = Instant(nanoseconds: 0)
    /// When the client last took part in a turn.
    private var heardAt = Instant(nanoseconds: 0)
    /// Set by the loop: the handler takes part in the next turn.
    var isScheduled = false

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
        let (id, now) = loop.perform { queue, now in (queue.open(outbox: loop.index, now: now), now) }
        self.id = id
        connectedAt = now
        heardAt = now
        activity.received(at: loop.idleChecks)
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
        activity.received(at: loop.idleChecks)
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeBuffer(&bytes)
        }
        decode()
        loop.schedule(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { loop.schedule(self) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event, let id else { return }
        inputEnded = true
        loop.perform { queue, now in
            queue.inputEnded(id, now: now)
            // Before any other client's command: that one must not count this client.
            if commands.isEmpty, input.readableBytes == 0, decoder.isIdle { queue.closeIfFinished(id) }
        }
        loop.schedule(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The connection broke. The client's jobs go back when the channel becomes inactive.
        context.close(promise: nil)
    }

    // MARK: Commands

    /// Decodes commands from the input, unless decoded ones are still waiting.
    private func decode() {
        guard commands.isEmpty else { return }
        while commands.count < ClientHandler.maxCommandsPerTurn, let command = decoder.next(from: &input) {
            commands.append(command)
        }
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if input.readerIndex > input.readableBytes {
            input.discardReadBytes()
        }
    }

    /// Gives the queue the commands that it accepts now: at most `share`, and few after the time `end`.
    func feed(_ queue: inout Queue, atMost share: Int, now: Instant, until end: Instant) {
        guard let id, let channel = context?.channel, !isFinishing, !loop.hasStoppedListening else { return }
        heardAt = now
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
            guard freshness.admits(command) else { return }
            // After the check for a command: most clients have only one, and need no reading of the clock.
            if fed == share || queue.replyBytes(loop.index) - replyBytes > ClientHandler.maxReplyBytes
                || fed % 4 == 1 && loop.now() > end
            {
                return hasMore = true
            }
            fed += 1
            commands.removeFirst()
            freshness.commandLeft()
            queue.receive(command, from: id, now: now)
            if case .quit = command { return }
        }
    }

    /// Completes a turn after `feed`, outside of the lock.
    func finishTurn() {
        guard let channel = context?.channel, !isFinishing else { return }
        if hasMore { loop.schedule(self) }
        hasMore = false
        if freshness.startsPoll(waiting: commands.count) { loop.pollAllLoops(for: self) }
        setReading(input.readableBytes < ClientHandler.maxWaitingBytes, channel)
    }

    /// Called when all loops have been polled: commands that show other clients may go on.
    func pollFinished() {
        freshness.pollFinished()
        loop.schedule(self)
    }

    private func setReading(_ reads: Bool, _ channel: any Channel) {
        guard reads != isReading, !inputEnded else { return }
        isReading = reads
        channel.setOption(.autoRead, value: reads).whenFailure { _ in }
    }

    // MARK: Replies

    /// Encodes a reply into the output.
    /// - Returns: Whether a flush of this handler has to be planned: the output was empty before.
    func write(_ reply: Reply) -> Bool {
        guard !isFinishing else { return false }
        activity.replied(at: loop.idleChecks)
        let wasEmpty = output.readableBytes == 0
        encoder.encode(reply, facts: facts(), into: &output)
        return wasEmpty
    }

    func flush() {
        guard output.readableBytes > 0, let context else { return }
        // Taken out first: the write may make the channel writable again, which leads back here.
        let bytes = output
        output = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Sends the replies so far and closes the connection. For the queue the client is gone at once.
    func finish() {
        guard !isFinishing else { return }
        flush()
        isFinishing = true
        closeWhenWritten()
        // Last: the client's jobs go to others only after its connection is being closed.
        end()
    }

    private func closeWhenWritten() {
        guard let context else { return }
        // An empty write completes after all writes before it, so a long reply is not cut off.
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        let channel = context.channel
        let timeout = context.eventLoop.scheduleTask(in: ClientHandler.closeTimeout) { channel.close(promise: nil) }
        written.futureResult.whenComplete { _ in
            timeout.cancel()
            channel.close(promise: nil)
        }
    }

    // MARK: For people

    /// Where the client is; `nil` once it is gone.
    func peer(now: Instant) -> ClientPeer? {
        guard let id, let context else { return nil }
        return ClientPeer(
            id: id, address: ClientPeer.describe(context.channel.remoteAddress),
            connectedSeconds: Double((now - connectedAt).nanoseconds) / 1e9,
            idleSeconds: Double((now - heardAt).nanoseconds) / 1e9)
    }

    // MARK: Idleness

    /// Whether the client has sent nothing and read nothing in more than `limit` idle checks of the loop.
    func isIdle(for limit: Int) -> Bool {
        activity.isIdle(
            at: loop.idleChecks, limit: limit,
            unreadBytes: (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
    }

    func closeIdle() {
        isFinishing = true
        context?.close(promise: nil)
    }
}
