@testable import QueueCore

/// A connection of a broker's task to the database. It has one transaction at a time, and may be lost.
final class Session {
    private unowned let node: Node
    private(set) var isOpen = false
    /// Grows whenever the connection is opened or lost. Work of an earlier generation is ignored.
    private var generation = 0
    /// The transaction that the server has begun on it and not ended.
    private var prepared: Database.Prepared?
    /// Called when the connection is lost.
    var lost: () -> Void = {}

    init(_ node: Node) { self.node = node }

    private var simulation: Simulation { node.simulation }
    private var database: Database { node.simulation.database }

    /// Tries until the database can be reached, with growing pauses.
    func open(_ opened: @escaping () -> Void, pause: Int = 50) {
        node.later(simulation.databaseWay) {
            if self.node.reachesDatabase {
                self.isOpen = true
                self.generation += 1
                opened()
            } else {
                self.node.later(.milliseconds(pause)) { self.open(opened, pause: min(pause * 2, 1000)) }
            }
        }
    }

    private enum Fate {
        case fine
        /// The transaction never arrives; it is done and the answer is lost; it is given up and done later.
        case neverDone, answerLost, doneLate
    }

    private func drawFate() -> Fate {
        guard !simulation.isCalm, simulation.random.permille(simulation.profile.losses) else { return .fine }
        return simulation.random.pick([.neverDone, .answerLost, .doneLate])
    }

    /// Has the database do work, and gives its answer. `nil` means that the work has to wait for a lock.
    func transact<Answer>(_ work: @escaping (Database) -> Answer?, _ told: @escaping (Answer) -> Void) {
        let fate = drawFate()
        let (generation, incarnation) = (generation, simulation.incarnation)
        let way = simulation.databaseWay
        switch fate {
        case .neverDone: return node.later(way) { self.lose(generation) }
        case .doneLate:
            node.later(way) { self.lose(generation) }
            let late = simulation.random.span(0...2_500_000)
            simulation.after(Span(nanoseconds: way.nanoseconds + late.nanoseconds)) {
                self.execute(work, generation, incarnation) { _ in }
            }
        case .fine, .answerLost:
            simulation.after(way) {
                self.execute(work, generation, incarnation) { answer in
                    self.node.later(self.simulation.databaseWay) {
                        guard self.generation == generation else { return }
                        if fate == .answerLost { self.lose(generation) } else { told(answer) }
                    }
                }
            }
        }
    }

    private func execute<Answer>(
        _ work: @escaping (Database) -> Answer?, _ generation: Int, _ incarnation: Int,
        _ done: @escaping (Answer) -> Void
    ) {
        guard simulation.incarnation == incarnation else { return }
        let isOrphaned = !node.isAlive || self.generation != generation
        // Some of what a connection has sent before its end arrives.
        if isOrphaned, simulation.random.percent(30) { return }
        if simulation.stalledUntil > simulation.now {
            return simulation.after(simulation.random.span(20_000...100_000)) {
                self.execute(work, generation, incarnation, done)
            }
        }
        if let answer = work(database) { return done(answer) }
        simulation.coverage.reach(.waitedForLock)
        simulation.after(.milliseconds(5)) {
            self.execute(work, generation, incarnation, done)
        }
    }

    /// The same for a transaction that the server keeps open afterwards, with its locks.
    func prepare(
        _ work: @escaping (Database) -> Database.Prepared?, _ told: @escaping (Database.Prepared) -> Void
    ) {
        let generation = generation
        transact(
            { database in
                guard let prepared = work(database) else { return nil }
                self.hold(prepared, generation)
                return prepared
            }, told)
    }

    private func hold(_ prepared: Database.Prepared, _ generation: Int) {
        self.prepared = prepared
        // The connection has been lost meanwhile.
        if generation != self.generation { return abandon() }
        // idle_in_transaction_session_timeout
        simulation.after(.seconds(3)) {
            guard prepared.isOpen else { return }
            self.simulation.coverage.reach(.transactionTimedOut)
            self.database.rollBack(prepared, at: self.simulation.now)
            self.node.later(.milliseconds(1)) { self.lose(generation) }
        }
    }

    func lose() { lose(generation) }

    private func lose(_ generation: Int) {
        guard isOpen, generation == self.generation else { return }
        isOpen = false
        self.generation += 1
        abandon()
        lost()
    }

    /// The server finds out later that the connection is lost.
    func abandon() {
        guard let prepared, prepared.isOpen else { return }
        simulation.after(simulation.random.span(0...1_500_000)) {
            self.database.rollBack(prepared, at: self.simulation.now)
        }
    }
}
