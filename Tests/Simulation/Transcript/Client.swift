@testable import QueueCore

/// A client of the broker: sends commands as fast as the queue accepts them, and hears replies.
final class Client {
    let handler: Handler
    private unowned let world: World
    private var heard: [(place: Int, reply: Reply)] = []

    init(_ handler: Handler, _ world: World) {
        self.handler = handler
        self.world = world
    }

    var isClosed: Bool { handler.isClosed }

    /// All of them in one packet.
    func sends(_ commands: Command...) { sends(commands) }

    func sends(_ commands: [Command]) {
        handler.read(commands)
        handler.feed()
        world.settle()
    }

    /// What it was told since it last listened.
    func hears() -> [Reply] { hearsWithPlaces().map(\.reply) }

    /// The same, with the place of each among all that the broker has said.
    func hearsWithPlaces() -> [(place: Int, reply: Reply)] {
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
        handler.inputEnded()
        world.settle()
        handler.feed()
        world.settle()
    }

    func disconnects() {
        handler.closed()
        world.settle()
    }

    func hear(_ reply: Reply, at place: Int) { if !isClosed { heard.append((place, reply)) } }
}
