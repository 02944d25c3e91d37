@testable import QueueCore

/// A broker process: a queue, the tasks of its store, and the shell between them and the clients, like
/// BeanrowServer's Broker and PostgresStore. It may crash, freeze, and lose the database.
final class Node: CustomStringConvertible {
    unowned let simulation: Simulation
    let number: Int
    /// Brokers on the same machine see at once that it has ended.
    let machine: Int
    let broker: Broker
    private var tasks: [DatabaseTask] = []
    private(set) var writers: [WriterTask] = []
    private(set) lazy var reader = ReaderTask(self)
    private(set) lazy var keeper = KeeperTask(self)
    private(set) lazy var notifier = NotifierTask(self)

    private(set) var isAlive = true
    private(set) var isLeaving = false
    private(set) var isFrozen = false
    /// Actions that were due while it was frozen.
    private var deferred: [() -> Void] = []
    private var clockStoodStillAt = Instant(nanoseconds: 0)
    private var frozenAt = Instant(nanoseconds: 0)
    private var stopsItsClock = false
    private var freezes = 0
    /// The process freezes when the database has its next heartbeat, before it knows.
    var freezeWhenHeard: (span: Span, stopsItsClock: Bool)?
    private var cutOffUntil = Instant(nanoseconds: 0)
    private var timerAt = Instant.never

    /// What the checker knows of it.
    var record = NodeRecord()

    var description: String { "broker \(number)" }

    init(_ simulation: Simulation, number: Int, machine: Int) {
        self.simulation = simulation
        self.number = number
        self.machine = machine
        let clock = Clock(simulation)
        broker = Broker(simulation.profile.configuration) { clock.now }
        self.clock = clock
        writers = WriteKind.allCases.map { WriterTask($0, self) }
        tasks = writers + [reader, keeper, notifier]
        broker.acted = { [unowned self] in acted() }
    }

    /// The process's monotonic clock.
    private final class Clock {
        private unowned let simulation: Simulation
        var lag = Span(nanoseconds: 0)

        init(_ simulation: Simulation) { self.simulation = simulation }

        var now: Instant { simulation.now - lag }
    }
    private let clock: Clock

    // MARK: The process

    func start() { keeper.start() }

    /// The broker is registered: its other tasks may work.
    func startServing() {
        for writer in writers where !writer.hasStarted { writer.start() }
        if !reader.hasStarted { reader.start() }
        if !notifier.hasStarted { notifier.start() }
    }

    /// Performs an action in this process: later if the process is frozen, and never if it has ended.
    func later(_ span: Span, _ action: @escaping () -> Void) {
        simulation.after(span) { self.perform(action) }
    }

    private func perform(_ action: @escaping () -> Void) {
        guard isAlive else { return }
        if isFrozen { deferred.append(action) } else { action() }
    }

    /// - Returns: the epochs that it leaves behind.
    func end() -> [Int64] {
        isAlive = false
        for task in tasks { task.session.abandon() }
        for client in simulation.clients where client.node === self { client.brokerHasGone() }
        return keeper.registered
    }

    func forgetClients() {
        for handler in broker.handlers.values { handler.client = nil }
    }

    /// The database has its heartbeat, and the process does not know that yet.
    func wasHeard() {
        guard let (span, stopsItsClock) = freezeWhenHeard, isAlive, !isFrozen else { return }
        freezeWhenHeard = nil
        if !simulation.isCalm { freeze(for: span, stopsItsClock: stopsItsClock) }
    }

    func freeze(for span: Span, stopsItsClock: Bool) {
        simulation.log("\(self) is \(stopsItsClock ? "suspended" : "frozen")")
        simulation.coverage.reach(stopsItsClock ? .suspension : .freeze)
        isFrozen = true
        self.stopsItsClock = stopsItsClock
        frozenAt = simulation.now
        freezes += 1
        let freeze = freezes
        simulation.after(span) { if self.freezes == freeze { self.thaw() } }
    }

    func thaw() {
        guard isFrozen, isAlive else { return }
        isFrozen = false
        if stopsItsClock {
            clock.lag = Span(nanoseconds: clock.lag.nanoseconds + (simulation.now - frozenAt).nanoseconds)
            clockStoodStillAt = simulation.now
        }
        simulation.log("\(self) wakes")
        if isDead { simulation.log("and is dead") } else { simulation.coverage.reach(.wokeInTime) }
        let actions = deferred
        deferred = []
        for action in actions { later(simulation.random.span(0...3000), action) }
        timerAt = .never
        setTimer(broker.queue.effects().deadline)
    }

    /// Whether its epoch has been declared dead, whether it knows that or not.
    var isDead: Bool { !simulation.database.epochs.contains(broker.queue.epoch) }

    /// Whether its clock has always shown the true time.
    var hasNeverStoodStill: Bool { clockStoodStillAt.nanoseconds == 0 }

    /// Whether its clock has shown the true time since it last asked for a renewal.
    var isHonest: Bool { keeper.renewalSentAt >= clockStoodStillAt }

    // MARK: The way to the database

    var reachesDatabase: Bool { simulation.now >= max(simulation.databaseBackAt, cutOffUntil) }

    func cutOff(for span: Span) {
        cutOffUntil = simulation.now + span
        loseConnections()
    }

    func loseConnections() {
        for task in tasks { later(simulation.random.span(0...50_000)) { task.session.lose() } }
    }

    // MARK: Leaving

    /// Like Server.stop: what is under way is committed and answered, then the broker's row is removed, then the
    /// connections are closed.
    func leave() {
        simulation.log("\(self) leaves")
        simulation.coverage.reach(.left)
        isLeaving = true
        waitUntilSettled(until: simulation.now + .seconds(2))
    }

    private func waitUntilSettled(until limit: Instant) {
        guard broker.queue.isSettled || simulation.now > limit else {
            return later(.milliseconds(5)) { self.waitUntilSettled(until: limit) }
        }
        for writer in writers { writer.stop() }
        reader.stop()
        notifier.stop()
        waitUntilStopped(until: simulation.now + .seconds(1))
    }

    private func waitUntilStopped(until limit: Instant) {
        if writers.allSatisfy({ !$0.isBusy }), !reader.isBusy {
            keeper.stop { self.haveLeft() }
            // A keeper without a database does not finish in time.
            later(.seconds(1)) { self.haveLeft() }
        } else if simulation.now > limit {
            haveLeft()
        } else {
            later(.milliseconds(5)) { self.waitUntilStopped(until: limit) }
        }
    }

    private func haveLeft() {
        guard isAlive else { return }
        simulation.log("\(self) has left")
        simulation.ended += end().map { ($0, machine) }
    }

    // MARK: After each event

    private func acted() {
        simulation.checker.observe(self)
        carry()
        simulation.checker.carried(self)
        let effects = broker.queue.effects()
        if effects.work.contains(.puts) { writers[WriteKind.puts.rawValue].wake() }
        if effects.work.contains(.changes) { writers[WriteKind.changes.rawValue].wake() }
        if effects.work.contains(.largePuts) { writers[WriteKind.largePuts.rawValue].wake() }
        if effects.work.contains(.queries) { reader.wake() }
        if effects.work.contains(.ids) { keeper.wake() }
        if effects.work.contains(.notices) { notifier.wake() }
        setTimer(effects.deadline)
    }

    private func carry() {
        var output: [Queue.Output] = []
        broker.queue.takeOutput(0, into: &output)
        for item in output {
            switch item {
            case .reply(let id, let reply):
                guard let client = client(id) else { continue }
                simulation.log("\(client) <- \(reply)")
                simulation.checker.heard(client, reply)
                client.replied(reply)
            case .resume(let id):
                guard let handler = broker.handlers[id] else { continue }
                later(simulation.random.span(0...100)) { handler.feed() }
            case .close(let id):
                guard let client = client(id) else { continue }
                client.closedByBroker()
            }
        }
    }

    private func client(_ id: ConnectionID) -> RemoteClient? {
        guard let handler = broker.handlers[id], !handler.isFinishing else { return nil }
        return handler.client
    }

    private func setTimer(_ next: Instant) {
        guard next < timerAt else { return }
        timerAt = next
        let wait = max(0, (next - broker.now).nanoseconds)
        later(Span(nanoseconds: wait + simulation.random.span(0...3000).nanoseconds)) {
            self.timerAt = .never
            self.broker.act { $0.advance(to: $1) }
        }
    }
}
