@testable import QueueCore

/// A thread of the store: works on its connection, and makes that anew when it is lost, as PostgresStore's Worker.
class DatabaseTask {
    unowned let node: Node
    let session: Session
    private(set) var hasStarted = false
    private(set) var isStopping = false
    /// Something is in hand; another wake-up changes nothing.
    var isBusy = false
    private var isWoken = false

    init(_ node: Node) {
        self.node = node
        session = Session(node)
        session.lost = { [unowned self] in
            simulation.log("\(self.node): \(type(of: self)) has lost its connection")
            disconnected()
            node.later(.milliseconds(50)) { self.session.open { self.serve() } }
        }
    }

    var simulation: Simulation { node.simulation }

    func start() {
        hasStarted = true
        session.open { self.serve() }
    }

    /// What is in hand is brought to its end.
    func stop() { isStopping = true }

    func wake() {
        guard !isWoken, !isBusy, hasStarted else { return }
        isWoken = true
        node.later(simulation.random.span(0...200)) {
            self.isWoken = false
            if !self.isBusy, self.session.isOpen { self.work() }
        }
    }

    /// The connection is lost.
    func disconnected() {}
    /// The connection is there, for the first time or again.
    func serve() {}
    /// There may be something to do.
    func work() {}
}
