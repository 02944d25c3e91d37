@testable import QueueCore

/// A client of the broker: sends commands as fast as the queue accepts them, and hears replies.
final class Client {
    let id: ConnectionID
    private unowned let world: World
    /// Sent, and not yet accepted by the queue.
    private(set) var unread: [Command] = []
    private var heard: [Reply] = []
    private(set) var isClosed = false
    private(set) var hasEnded = false

    init(_ id: ConnectionID, _ world: World) {
        self.id = id
        self.world = world
    }

    /// All of them in one packet.
    func sends(_ commands: Command...) { sends(commands) }

    func sends(_ commands: [Command]) {
        unread += commands
        feed()
        world.settle()
    }

    /// What it was told since it last listened.
    func hears() -> [Reply] {
        defer { heard = [] }
        return heard
    }

    /// A conversation of one command and one reply.
    func asks(_ command: Command) -> Reply? {
        sends(command)
        return hears().last
    }

    /// It sends nothing more, but still listens.
    func halfCloses() {
        hasEnded = true
        if !isClosed { world.act { $0.inputEnded(self.id, now: $1) } }
        world.settle()
        feed()
        world.settle()
    }

    func disconnects() {
        guard !isClosed else { return }
        closed()
        world.settle()
    }

    // MARK: As the shell does

    func feed() {
        while !isClosed, world.queue.accepts(id), !unread.isEmpty {
            let command = unread.removeFirst()
            world.act { $0.receive(command, from: self.id, now: $1) }
            if case .quit = command { return }
        }
        if hasEnded, !isClosed, unread.isEmpty, world.queue.isFinished(id) { closed() }
    }

    func hear(_ reply: Reply) { if !isClosed { heard.append(reply) } }

    func closed() {
        guard !isClosed else { return }
        isClosed = true
        world.act { $0.closed(self.id, now: $1) }
    }
}
