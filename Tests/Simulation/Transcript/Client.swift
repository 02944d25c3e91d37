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

    /// Sends all of them in one packet.
    func sends(_ commands: Command...) { sends(commands) }

    func sends(_ commands: [Command]) {
        handler.read(commands)
        handler.feed()
        world.settle()
    }

    /// The replies since the last call.
    func hears() -> [Reply] { hearsWithPlaces().map(\.reply) }

    /// The same, with the place of each among all replies of the broker.
    func hearsWithPlaces() -> [(place: Int, reply: Reply)] {
        defer { heard = [] }
        return heard
    }

    /// Sends one command, and returns its reply.
    func asks(_ command: Command) -> Reply? {
        sends(command)
        return hears().last
    }

    /// The client sends nothing more, but still listens.
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
