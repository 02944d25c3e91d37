import NIOCore
import QueueCore
import Synchronization

/// An event loop and the connections that it owns. Everything but what is said otherwise is used on the loop alone.
final class ClientLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    let index: Int
    /// Set from any thread: a delivery is on its way to the loop.
    let deliveryPlanned = Atomic(false)

    var isDelivering = false
    /// By slot of the connection.
    private var handlers: [ClientHandler?] = []
    private var unflushed: [ClientHandler] = []

    init(_ eventLoop: any EventLoop, index: Int) {
        self.eventLoop = eventLoop
        self.index = index
    }

    /// Whether the caller is to bring the delivery about. From any thread.
    func planDelivery() -> Bool {
        !deliveryPlanned.exchange(true, ordering: .sequentiallyConsistent)
    }

    func add(_ handler: ClientHandler, _ id: ConnectionID) {
        while handlers.count <= id.slot { handlers.append(nil) }
        handlers[id.slot] = handler
    }

    func remove(_ id: ConnectionID) {
        handlers[id.slot] = nil
    }

    func carry(_ output: Queue.Output) {
        switch output {
        case .reply(let id, let reply):
            if let handler = handler(id), handler.write(reply) { unflushed.append(handler) }
        case .resume(let id):
            handler(id)?.process()
        case .close(let id):
            handler(id)?.finish()
        }
    }

    func flush() {
        // A flush may lead to more of them.
        while !unflushed.isEmpty {
            var flushing: [ClientHandler] = []
            swap(&flushing, &unflushed)
            for handler in flushing { handler.flush() }
        }
    }

    private func handler(_ id: ConnectionID) -> ClientHandler? {
        guard id.slot < handlers.count, let handler = handlers[id.slot], handler.id == id else { return nil }
        return handler
    }
}
