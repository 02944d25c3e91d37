@testable import QueueCore

/// A thread of the store that works on its connection and opens a new one when that is lost, like PostgresStore's
/// Worker.
class DatabaseTask {
    unowned let node: Node
    let session: Session
    private(set) var hasStarted = false
    private(set) var isStopping = false
    /// Work is under way, and waking the thread changes nothing.
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

    /// Work under way is finished.
    func stop() { isStopping = true }

    func wake() {
        guard !isWoken, !isBusy, hasStarted else { return }
        isWoken = true
        node.later(simulation.random.span(0...200)) {
            self.isWoken = false
            if !self.isBusy, self.session.isOpen { self.work() }
        }
    }

    /// Called when the connection is lost.
    func disconnected() {}
    /// Called when the connection is open, for the first time or again.
    func serve() {}
    /// Called when there may be work.
    func work() {}
}
