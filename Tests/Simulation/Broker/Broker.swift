@testable import QueueCore

/// A queue, and the connections that a shell feeds it from.
final class Broker {
    var queue: Queue
    /// The process's own clock.
    let clock: () -> Instant
    private(set) var handlers: [ConnectionID: Handler] = [:]
    /// Called after each event that the queue was given.
    var acted: (() -> Void)?

    var now: Instant { clock() }

    init(_ configuration: Queue.Configuration, clock: @escaping () -> Instant) {
        queue = Queue(configuration: configuration)
        self.clock = clock
    }

    /// How long a heartbeat is valid.
    static let validity = Span.milliseconds(2500)

    /// Gives the queue one event.
    func act<Result>(_ event: (inout Queue, Instant) -> Result) -> Result {
        let result = event(&queue, clock())
        acted?()
        return result
    }

    func open() -> Handler {
        let handler = Handler(act { $0.open(outbox: 0, now: $1) }, self)
        handlers[handler.id] = handler
        return handler
    }

    fileprivate func forget(_ handler: Handler) { handlers[handler.id] = nil }
}

/// The broker's end of a client's connection, like BeanrowServer's ClientHandler.
final class Handler {
    let id: ConnectionID
    private unowned let broker: Broker
    /// Decoded commands that the queue has not accepted yet.
    private(set) var unread: [Command] = []
    private(set) var hasEnded = false
    private(set) var isClosed = false
    /// The queue has closed the connection: the client is sent nothing more.
    var isFinishing = false
    /// The client, in a simulation.
    var client: RemoteClient?
    /// Called with each command that the queue is about to be given.
    var feeding: ((Command) -> Void)?

    fileprivate init(_ id: ConnectionID, _ broker: Broker) {
        self.id = id
        self.broker = broker
    }

    func read(_ commands: [Command]) { unread += commands }

    /// Gives the queue every command that it accepts now.
    func feed() {
        while !isClosed, !isFinishing, broker.queue.accepts(id) {
            guard !unread.isEmpty else {
                if hasEnded { broker.act { queue, _ in queue.closeIfFinished(self.id) } }
                return
            }
            let command = unread.removeFirst()
            feeding?(command)
            broker.act { $0.receive(command, from: self.id, now: $1) }
            if case .quit = command { return }
        }
    }

    /// The client sends nothing more, but still listens.
    func inputEnded() {
        hasEnded = true
        if !isClosed, !isFinishing { broker.act { $0.inputEnded(self.id, now: $1) } }
    }

    /// The line of a put has been received, and its body not yet.
    func putLineReceived() {
        if !isClosed, !isFinishing, unread.isEmpty {
            broker.act { queue, _ in queue.putLineReceived(self.id, isTooBig: false) }
        }
    }

    func closed() {
        guard !isClosed else { return }
        isClosed = true
        broker.forget(self)
        broker.act { $0.closed(self.id, now: $1) }
        client = nil
    }
}
