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

    init(_ eventLoop: any EventLoop, index: Int, broker: Broker) {
        self.eventLoop = eventLoop
        self.index = index
        self.broker = broker
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
        swap(&feeding, &ready)
        for handler in feeding { handler.isPlanned = false }
        perform { queue, now in
            for handler in feeding { handler.feed(&queue, now: now) }
        }
        for handler in feeding { handler.fed() }
        feeding.removeAll(keepingCapacity: true)
    }

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

    private func handler(_ id: ConnectionID) -> ClientHandler? {
        guard id.slot < handlers.count, let handler = handlers[id.slot], handler.id == id else { return nil }
        return handler
    }
}
