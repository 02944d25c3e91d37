import NIOCore
import QueueCore
import Synchronization

/// An event loop and the connections that it owns.
///
/// In each turn the loop hands the commands of all its clients to the queue at once, and writes to each client once, so
/// that the lock and the sockets are used as rarely as possible (docs/ARCHITECTURE.md, Threads). Members are used on
/// the loop only, unless they say otherwise.
final class ClientLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    let index: Int
    private let broker: Broker
    /// Set from any thread.
    private let isTurnScheduled = Atomic(false)

    /// By slot of the connection.
    private var handlers: [ClientHandler?] = []
    /// The handlers that take part in the next turn.
    private var ready: [ClientHandler] = []
    private var feeding: [ClientHandler] = []
    private var unflushed: [ClientHandler] = []
    private var flushing: [ClientHandler] = []
    /// What the queue wants done on this loop.
    private var outputs: [Queue.Output] = []
    private var isDelivering = false
    private var isPausing = false
    private var barrier: PollBarrier?
    /// Clients that wait for the next poll of all loops, and those that wait for the running one.
    private var waitingForPoll: [ClientHandler] = []
    private var polling: [ClientHandler] = []
    /// No more commands are given to the queue.
    private(set) var hasStoppedListening = false
    /// The number of idle checks so far; always 0 without an idle timeout.
    private(set) var idleChecks = 0

    /// The approximate number of commands that one turn gives the queue. Clients that have commands get equal shares.
    private static let commandsPerTurn = 8192
    /// The time after which a turn gives the queue no second command of a client: other threads want the lock too.
    private static let maxTurn = Span.milliseconds(5)
    private static let pauseLength = TimeAmount.milliseconds(1)
    private static let idleChecksPerTimeout = 8

    init(_ eventLoop: any EventLoop, index: Int, broker: Broker) {
        self.eventLoop = eventLoop
        self.index = index
        self.broker = broker
    }

    /// To be called before there are clients.
    func open() async throws {
        try await PollBarrier.open(on: eventLoop) { self.barrier = $0 }
    }

    // MARK: Turns

    /// Schedules a turn after what the loop is doing now. From any thread.
    func scheduleTurn() {
        if !isTurnScheduled.exchange(true, ordering: .acquiringAndReleasing) {
            eventLoop.execute { self.turn() }
        }
    }

    /// Has a client take part in the next turn.
    func schedule(_ handler: ClientHandler) {
        guard !handler.isScheduled else { return }
        handler.isScheduled = true
        ready.append(handler)
        scheduleTurn()
    }

    private func turn() {
        isTurnScheduled.store(false, ordering: .sequentiallyConsistent)
        // The pause ends with a turn.
        guard !isPausing else { return }
        swap(&feeding, &ready)
        for handler in feeding { handler.isScheduled = false }
        let share = max(1, min(ClientHandler.maxCommandsPerTurn, ClientLoop.commandsPerTurn / max(1, feeding.count)))
        let end = perform { queue, now in
            let end = now + ClientLoop.maxTurn
            for handler in feeding { handler.feed(&queue, atMost: share, now: now, until: end) }
            return end
        }
        for handler in feeding { handler.finishTurn() }
        feeding.removeAll(keepingCapacity: true)
        if !ready.isEmpty, broker.now() > end { pause() }
    }

    /// Leaves the lock to the store's threads for a moment. The lock is not fair: after a long turn the next turn would
    /// take it again before those threads have woken.
    private func pause() {
        isPausing = true
        eventLoop.scheduleTask(in: ClientLoop.pauseLength) {
            self.isPausing = false
            self.turn()
        }
    }

    // MARK: Polling all loops

    /// Calls `pollFinished` of the handler when every loop has taken in what its sockets have now.
    func pollAllLoops(for handler: ClientHandler) {
        waitingForPoll.append(handler)
        if polling.isEmpty { pollAllLoops() }
    }

    private func pollAllLoops() {
        swap(&polling, &waitingForPoll)
        EventLoopFuture.andAllComplete(broker.loops.map { $0.poll() }, on: eventLoop).whenComplete { _ in
            for handler in self.polling { handler.pollFinished() }
            self.polling.removeAll(keepingCapacity: true)
            if !self.waitingForPoll.isEmpty { self.pollAllLoops() }
        }
    }

    /// Succeeds when what the sockets of this loop have now has been given to the queue. From any thread.
    private func poll() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            guard let barrier = self.barrier else { return promise.succeed() }
            barrier.afterNextPoll {
                guard self.isPausing else { return promise.succeed() }
                // The turn comes at the end of the pause.
                self.eventLoop.scheduleTask(in: ClientLoop.pauseLength) { promise.succeed() }
            }
        }
        return promise.futureResult
    }

    func now() -> Instant { broker.now() }

    /// Changes the queue and does what it wants done on this loop.
    func perform<Result>(_ body: (inout Queue, Instant) -> Result) -> Result {
        let result = broker.change(on: self, takingInto: &outputs, body)
        deliver()
        return result
    }

    private func deliver() {
        // An output may lead to more outputs, which are appended.
        guard !isDelivering else { return }
        isDelivering = true
        var at = 0
        while at < outputs.count {
            deliver(outputs[at])
            at += 1
        }
        outputs.removeAll(keepingCapacity: true)
        isDelivering = false
        flush()
    }

    private func deliver(_ output: Queue.Output) {
        switch output {
        case .reply(let id, let reply):
            if let handler = handler(id), handler.write(reply) { unflushed.append(handler) }
        case .resume(let id):
            if let handler = handler(id) { schedule(handler) }
        case .close(let id):
            handler(id)?.finish()
        }
    }

    private func flush() {
        // A flush may lead to more flushes.
        while !unflushed.isEmpty, flushing.isEmpty {
            swap(&flushing, &unflushed)
            for handler in flushing { handler.flush() }
            flushing.removeAll(keepingCapacity: true)
        }
    }

    // MARK: Connections

    func add(_ handler: ClientHandler, _ id: ConnectionID) {
        while handlers.count <= id.slot { handlers.append(nil) }
        handlers[id.slot] = handler
    }

    func remove(_ id: ConnectionID) {
        handlers[id.slot] = nil
    }

    /// The clients of this loop. From any thread.
    func peers() -> EventLoopFuture<[ClientPeer]> {
        eventLoop.submit {
            let now = self.now()
            return self.handlers.compactMap { $0?.peer(now: now) }
        }
    }

    /// A client of this loop. From any thread.
    func peer(_ id: ConnectionID) -> EventLoopFuture<ClientPeer?> {
        eventLoop.submit { self.handler(id)?.peer(now: self.now()) }
    }

    // MARK: The end

    /// From here on no command is given to the queue.
    func stopListening() { hasStoppedListening = true }

    /// Sends the replies so far and closes all connections. The jobs that they hold go back.
    func closeAll() {
        for case let handler? in handlers { handler.finish() }
    }

    // MARK: Idle clients

    /// Begins to close clients that are idle for the time `timeout`, at most an eighth of it later.
    func closeIdle(after timeout: TimeAmount) {
        let interval = TimeAmount.nanoseconds(timeout.nanoseconds / Int64(ClientLoop.idleChecksPerTimeout))
        eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in self.checkIdle() }
    }

    private func checkIdle() {
        idleChecks += 1
        var idle = handlers.compactMap { handler in
            handler.flatMap { $0.isIdle(for: ClientLoop.idleChecksPerTimeout) ? $0 : nil }
        }
        guard !idle.isEmpty else { return }
        // A client that is owed a reply is not idle: a reserve may wait for ever.
        perform { queue, _ in idle.removeAll { $0.id.map { queue.isBusy($0) } ?? true } }
        for handler in idle { handler.closeIdle() }
    }

    private func handler(_ id: ConnectionID) -> ClientHandler? {
        guard id.slot < handlers.count, let handler = handlers[id.slot], handler.id == id else { return nil }
        return handler
    }
}
