@testable import QueueCore

/// What goes wrong with brokers, clients and the database.
extension Simulation {
    func disturbLater() {
        guard !profile.disturbances.isEmpty else { return }
        after(random.span(20_000...700_000)) {
            if !self.isCalm { self.disturb() }
            self.disturbLater()
        }
    }

    private func disturb() {
        var left = random.below(profile.disturbances.reduce(0) { $0 + $1.weight })
        for (weight, kind) in profile.disturbances {
            left -= weight
            if left < 0 { return disturb(kind) }
        }
    }

    private func disturb(_ kind: Profile.Disturbance) {
        let working = living.filter { !$0.isFrozen }
        let seconds = random.pick([100_000...900_000, 900_000...3_000_000, 3_000_000...8_000_000])
        switch kind {
        case .crash:
            if let node = pick(working) { crash(node) }
        case .freeze, .suspension:
            guard let node = pick(working) else { return }
            if random.percent(30) {
                node.freezeWhenHeard = (random.span(seconds), kind == .suspension)
            } else {
                node.freeze(for: random.span(seconds), stopsItsClock: kind == .suspension)
            }
        case .outage: outage(for: random.span(seconds))
        case .stall:
            log("the database stalls")
            coverage.reach(.stall)
            stalledUntil = now + random.span(seconds)
        case .partition:
            if let node = pick(working) {
                log("\(node) is cut off from the database")
                coverage.reach(.partition)
                node.cutOff(for: random.span(seconds))
            }
        case .join:
            if living.count < profile.mostBrokers {
                coverage.reach(.joined)
                start(machine: random.below(2))
            }
        case .leave:
            if living.count > 1, let node = pick(working) { node.leave() }
        case .sqlPut: putBySQL()
        case .sqlSession: if now >= databaseBackAt { SQLSession(self).begin() }
        case .disconnect: pick(clients)?.disconnect()
        case .halfClose: pick(clients)?.halfClose()
        case .clock: setClock()
        }
    }

    private func pick<Element>(_ choices: [Element]) -> Element? { choices.isEmpty ? nil : random.pick(choices) }

    private func crash(_ node: Node) {
        log("\(node) crashes")
        coverage.reach(.crash)
        ended += node.end().map { ($0, node.machine) }
        guard living.count < profile.brokers else { return }
        after(random.span(50_000...5_000_000)) {
            self.coverage.reach(.restart)
            self.start(machine: self.random.percent(70) ? node.machine : self.random.below(2))
        }
    }

    /// The server crashes: what is not committed is lost, and nobody can connect for a while.
    private func outage(for span: Span) {
        log("the database crashes")
        coverage.reach(.outage)
        incarnation += 1
        databaseBackAt = now + span
        database.crash(at: now)
        for node in nodes where node.isAlive { node.loseConnections() }
    }

    /// The database's clock is set, forward or back.
    private func setClock() {
        let step = random.percent(10) ? Span.seconds(3600) : random.span(900_000...8_000_000)
        let isForward = random.percent(50)
        log("the database's clock is set \(isForward ? "forward" : "back") by \(step.nanoseconds / 1_000_000) ms")
        coverage.reach(.clockSet)
        let ahead = database.clockAhead.nanoseconds
        database.clockAhead = Span(nanoseconds: ahead + (isForward ? 1 : -1) * step.nanoseconds)
    }

    /// Puts a job as a SQL session does.
    private func putBySQL() {
        coverage.reach(.sqlPut)
        hasPutBySQL = true
        let tube = random.pick(profile.tubes)
        let id = database.putForeign(
            in: tube, priority: UInt32(random.below(10)), body: nextBody(), at: now)
        log("SQL puts \(id) into \(tube)")
    }
}
