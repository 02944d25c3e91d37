import NIOCore
import QueueCore
import Synchronization

/// An event loop and the connections that it owns.
///
/// What comes in is handed to the queue once in each turn of the loop, all clients together, and what comes out is
/// written once for each client: the lock and the socket are touched as rarely as can be. Everything but what is said
/// otherwise is used on the loop alone.
final class ClientLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    let index: Int
    private let broker: Broker
    /// Set from any thread: a turn will come.
    private let isTurnPlanned = Atomic(false)

    /// By slot of the connection.
    private var handlers: [ClientHandler?] = []
    /// Those that have commands for the queue.
    private var ready: [ClientHandler] = []
    private var feeding: [ClientHandler] = []
    private var unflushed: [ClientHandler] = []
    private var flushing: [ClientHandler] = []
    /// What the queue wants done here.
    private var outputs: [Queue.Output] = []
    private var isDelivering = false
    private var isResting = false
    private var echo: LoopEcho?
    /// Clients whose next command shows what others have done, and those for whom all loops are being asked.
    private var curious: [ClientHandler] = []
    private var looking: [ClientHandler] = []
    /// Clients have been heard for the last time.
    private(set) var isDeaf = false
    /// Numbers the looks at idle clients; none are made without a limit.
    private(set) var looks = 0

    /// Commands that one turn gives the queue, about; clients that have some get equal shares.
    private static let commandsPerTurn = 8192
    /// For how long a turn gives the queue more than one command of each client: others want the lock too.
    private static let longestTurn = Span.milliseconds(5)
    private static let restLength = TimeAmount.milliseconds(1)
    /// Looks at idle clients within the time limit.
    private static let looksPerLimit = 8

    init(_ eventLoop: any EventLoop, index: Int, broker: Broker) {
        self.eventLoop = eventLoop
        self.index = index
        self.broker = broker
    }

    /// To be called before there are clients.
    func open() async throws {
        try await LoopEcho.open(on: eventLoop) { self.echo = $0 }
    }

    // MARK: Turns

    /// From any thread: there will be something to do when the loop has done what it is doing.
    func planTurn() {
        if !isTurnPlanned.exchange(true, ordering: .acquiringAndReleasing) {
            eventLoop.execute { self.turn() }
        }
    }

    /// A client has commands for the queue.
    func plan(_ handler: ClientHandler) {
        guard !handler.isPlanned else { return }
        handler.isPlanned = true
        ready.append(handler)
        planTurn()
    }

    private func turn() {
        isTurnPlanned.store(false, ordering: .sequentiallyConsistent)
        // The end of the rest is a turn too.
        guard !isResting else { return }
        swap(&feeding, &ready)
        for handler in feeding { handler.isPlanned = false }
        let share = max(1, min(ClientHandler.maxFed, ClientLoop.commandsPerTurn / max(1, feeding.count)))
        let end = perform { queue, now in
            let end = now + ClientLoop.longestTurn
            for handler in feeding { handler.feed(&queue, atMost: share, now: now, until: end) }
            return end
        }
        for handler in feeding { handler.fed() }
        feeding.removeAll(keepingCapacity: true)
        if !ready.isEmpty, broker.now() > end { rest() }
    }

    /// Leaves the lock to the store's threads for a moment: it is not a fair one, and after a long turn the next would
    /// have it before they are awake.
    private func rest() {
        isResting = true
        eventLoop.scheduleTask(in: ClientLoop.restLength) {
            self.isResting = false
            self.turn()
        }
    }

    // MARK: What others have done

    /// Lets the client go on when every loop has taken in what its sockets have had so far: a client that has left
    /// before is not counted any more.
    func lookAround(for handler: ClientHandler) {
        curious.append(handler)
        if looking.isEmpty { lookAround() }
    }

    private func lookAround() {
        swap(&looking, &curious)
        EventLoopFuture.andAllComplete(broker.loops.map { $0.takeIn() }, on: eventLoop).whenComplete { _ in
            for handler in self.looking { handler.hasLookedAround() }
            self.looking.removeAll(keepingCapacity: true)
            if !self.curious.isEmpty { self.lookAround() }
        }
    }

    /// From any thread: ends when what the sockets of this loop have now has been given to the queue.
    private func takeIn() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            guard let echo = self.echo else { return promise.succeed() }
            echo.send {
                guard self.isResting else { return promise.succeed() }
                // Its turn comes at the end of the rest.
                self.eventLoop.scheduleTask(in: ClientLoop.restLength) { promise.succeed() }
            }
        }
        return promise.futureResult
    }

    func now() -> Instant { broker.now() }

    /// Changes the queue and does what it wants done here.
    func perform<Result>(_ body: (inout Queue, Instant) -> Result) -> Result {
        let result = broker.change(on: self, takingInto: &outputs, body)
        deliver()
        return result
    }

    private func deliver() {
        // What it leads to comes behind.
        guard !isDelivering else { return }
        isDelivering = true
        var at = 0
        while at < outputs.count {
            carry(outputs[at])
            at += 1
        }
        outputs.removeAll(keepingCapacity: true)
        isDelivering = false
        flush()
    }

    private func carry(_ output: Queue.Output) {
        switch output {
        case .reply(let id, let reply):
            if let handler = handler(id), handler.write(reply) { unflushed.append(handler) }
        case .resume(let id):
            if let handler = handler(id) { plan(handler) }
        case .close(let id):
            handler(id)?.finish()
        }
    }

    private func flush() {
        // A flush may lead to more of them.
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

    // MARK: The end

    /// From here on no command is given to the queue.
    func stopListening() { isDeaf = true }

    /// Sends what has been replied and closes all connections; the jobs that they hold go back.
    func closeAll() {
        for case let handler? in handlers { handler.finish() }
    }

    // MARK: Idle clients

    /// Closes clients that do nothing for so long, at most an eighth later.
    func closeIdle(after limit: TimeAmount) {
        let pause = TimeAmount.nanoseconds(limit.nanoseconds / Int64(ClientLoop.looksPerLimit))
        eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in self.lookForIdle() }
    }

    private func lookForIdle() {
        looks += 1
        var idle = handlers.compactMap { handler in
            handler.flatMap { $0.isSilent(for: ClientLoop.looksPerLimit) ? $0 : nil }
        }
        guard !idle.isEmpty else { return }
        // Who is owed a reply is not idle: a reserve may wait for ever.
        perform { queue, _ in idle.removeAll { $0.id.map { queue.isBusy($0) } ?? true } }
        for handler in idle { handler.closeIdle() }
    }

    private func handler(_ id: ConnectionID) -> ClientHandler? {
        guard id.slot < handlers.count, let handler = handlers[id.slot], handler.id == id else { return nil }
        return handler
    }
}
