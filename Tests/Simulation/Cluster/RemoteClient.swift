@testable import QueueCore

/// A client across a network: its commands and its replies are delayed.
final class RemoteClient: CustomStringConvertible {
    unowned let simulation: Simulation
    let node: Node
    let handler: Handler
    let number: Int
    /// What the checker knows of it.
    var record = ClientRecord()

    private enum Message {
        case commands([Command])
        case putLine
        case end
        case disconnect
    }
    private var toBroker: [Message] = []
    private var toClient: [Reply] = []
    /// How many commands were sent, and how many replies were heard.
    private var sent = 0
    private var heard = 0
    /// The jobs that the client believes it holds.
    private(set) var held: [JobID] = []
    private var hasGone = false
    private var hasEnded = false
    private var thoughts = 0

    var description: String { "client \(number) of \(node)" }

    init(_ simulation: Simulation, _ node: Node) {
        self.simulation = simulation
        self.node = node
        number = node.record.nextClient()
        handler = node.broker.open()
        handler.client = self
        handler.feeding = { [unowned self] command in
            self.simulation.log("\(self) -> \(command)")
            self.simulation.checker.willReceive(self, command)
        }
    }

    // MARK: The client

    func think() {
        thoughts += 1
        let thought = thoughts
        simulation.after(simulation.random.span(simulation.profile.thinking)) {
            guard thought == self.thoughts, !self.hasGone, !self.hasEnded, !self.simulation.isCalm else { return }
            self.act()
            self.think()
        }
    }

    private func act() {
        // Mostly the client waits for its replies.
        guard sent == heard || (sent - heard < 8 && simulation.random.percent(10)) else { return }
        var commands: [Command] = []
        for _ in 0..<(simulation.random.percent(15) ? simulation.random.within(2...5) : 1) {
            commands.append(simulation.randomCommand(of: self))
        }
        if commands.count > 1 { simulation.coverage.reach(.pipelined) }
        send(commands)
    }

    private func send(_ commands: [Command]) {
        sent += commands.count
        if case .put = commands[0], simulation.random.percent(20) {
            simulation.coverage.reach(.putLineAlone)
            post(.putLine)
        }
        post(.commands(commands))
    }

    func disconnect() {
        guard !hasGone else { return }
        simulation.coverage.reach(.disconnect)
        simulation.log("\(self) disconnects")
        leave()
        post(.disconnect)
    }

    func halfClose() {
        guard !hasGone, !hasEnded else { return }
        simulation.coverage.reach(.halfClose)
        simulation.log("\(self) sends no more")
        hasEnded = true
        post(.end)
        // A client that is never answered would stay for ever, so it disconnects.
        simulation.after(.seconds(4)) { self.disconnect() }
    }

    private func leave() {
        guard !hasGone else { return }
        hasGone = true
        simulation.left(self)
    }

    // MARK: The network

    private func post(_ message: Message) {
        toBroker.append(message)
        node.later(simulation.random.span(simulation.profile.network)) { self.deliver() }
    }

    private func deliver() {
        guard !handler.isClosed else { return }
        switch toBroker.removeFirst() {
        case .commands(let commands): handler.read(commands)
        case .putLine: return handler.putLineReceived()
        case .end: handler.inputEnded()
        case .disconnect: return handler.closed()
        }
        handler.feed()
    }

    /// The broker has sent a reply.
    func replied(_ reply: Reply) {
        toClient.append(reply)
        simulation.after(simulation.random.span(simulation.profile.network)) {
            let reply = self.toClient.removeFirst()
            if !self.hasGone { self.hear(reply) }
        }
    }

    private func hear(_ reply: Reply) {
        heard += 1
        if case .reserved(let id, _) = reply { held.append(id) }
        if held.count > 20 { held.removeFirst() }
    }

    func forgets(_ id: JobID) { held.removeAll { $0 == id } }

    /// The broker has closed the connection behind its last replies.
    func closedByBroker() {
        simulation.coverage.reach(.closedByBroker)
        simulation.log("\(self) is closed by its broker")
        handler.isFinishing = true
        simulation.checker.closes(self)
        node.later(simulation.random.span(0...1000)) { self.handler.closed() }
        simulation.after(simulation.random.span(simulation.profile.network)) { self.leave() }
    }

    /// The broker's process has ended, and the connection with it.
    func brokerHasGone() {
        simulation.after(simulation.random.span(simulation.profile.network)) { self.leave() }
    }
}
