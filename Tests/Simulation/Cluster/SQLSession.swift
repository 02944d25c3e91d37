@testable import QueueCore

/// A SQL session that steers or takes jobs once, as the functions of migrations/ do.
final class SQLSession {
    private unowned let simulation: Simulation
    private var database: Database { simulation.database }
    private let patience: Instant

    init(_ simulation: Simulation) {
        self.simulation = simulation
        patience = simulation.now + .seconds(10)
    }

    func begin() {
        // Until it ends, no broker becomes the sole one.
        database.sql.open += 1
        if simulation.random.percent(50) {
            database.sql.reservations += 1
            take()
        } else if let id = database.rows.keys.sorted().randomElement(using: &simulation.random) {
            steer(id)
        } else {
            end()
        }
    }

    private func end() { database.sql.open -= 1 }

    private func after(_ span: ClosedRange<Int>, _ action: @escaping () -> Void) {
        simulation.after(simulation.random.span(span), action)
    }

    /// Recalls the leases of all brokers, and continues when they have answered.
    private func recallLeases(_ answered: @escaping () -> Void) {
        simulation.coverage.reach(.recalled)
        database.sql.recall += 1
        wait(for: database.sql.recall, answered)
    }

    private func wait(for recall: Int64, _ answered: @escaping () -> Void) {
        // After a crash of the server nobody hears of the session again.
        if simulation.now < simulation.databaseBackAt || simulation.now > patience { return end() }
        if database.haveAnswered(recall) { return answered() }
        after(5000...5200) { self.wait(for: recall, answered) }
    }

    // MARK: Taking

    private func take() {
        if database.sole != nil { return recallLeases { self.take() } }
        guard let tube = simulation.random.pick(simulation.profile.tubes, of: database) else { return end() }
        let lease = simulation.random.span(50_000...1_500_000)
        let taken = database.reserve(simulation.random.within(1...3), of: tube, for: lease, at: simulation.now)
        for id in taken.ids {
            simulation.log("SQL takes \(id)")
            simulation.coverage.reach(.sqlTook)
            simulation.checker.sqlTook(id)
        }
        end()
        after(1000...2_000_000) { self.finish(taken.ids, of: taken.holder) }
    }

    private func finish(_ ids: [JobID], of holder: Int64) {
        for id in ids where database.rows[id]?.lease == -holder {
            guard simulation.now >= simulation.databaseBackAt, !database.locked.contains(id) else { continue }
            simulation.log("SQL ends \(id)")
            if simulation.random.percent(50) {
                database.deleteBySQL(id, at: simulation.now)
            } else {
                database.giveBackBySQL(id, .released, at: simulation.now)
            }
        }
    }

    // MARK: Steering

    private func steer(_ id: JobID) {
        guard let row = database.rows[id], simulation.now < patience else { return end() }
        switch database.holder(of: row) {
        case .client:
            simulation.coverage.reach(.sqlRefused)
            end()
        case .broker: recallLeases { self.steer(id) }
        case .nobody where database.locked.contains(id): after(5000...5200) { self.steer(id) }
        case .nobody:
            simulation.log("SQL steers \(id)")
            simulation.coverage.reach(.sqlSteered)
            simulation.checker.sqlTook(id)
            if simulation.random.percent(50) {
                database.deleteBySQL(id, at: simulation.now)
            } else {
                database.giveBackBySQL(id, .steered(priority: UInt32(simulation.random.below(10))), at: simulation.now)
            }
            end()
        }
    }
}

extension SplitMix64 {
    /// The number of a tube that exists.
    fileprivate mutating func pick(_ names: [TubeName], of database: Database) -> TubeID? {
        database.tube(pick(names))?.id
    }
}
