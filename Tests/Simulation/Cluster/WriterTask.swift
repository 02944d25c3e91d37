@testable import QueueCore

/// Commits batches of one kind, like PostgresStore's Writer.
final class WriterTask: DatabaseTask {
    private(set) var parts: WriterParts
    private var batchNumber: Int64 = 0
    /// The number under which the next part was sent, while its outcome is not known.
    private var lost: Int64?
    private var isFirstConnection = true
    /// Transactions that may have committed and whose outcome the broker has not been told.
    private(set) var untold: [Int] = []

    init(_ kind: WriteKind, _ node: Node) {
        parts = WriterParts(kind)
        super.init(node)
    }

    private func key(_ batch: Int64, _ epoch: Int64) -> Database.LedgerKey {
        Database.LedgerKey(epoch: epoch, writer: parts.kind.rawValue, batch: batch)
    }

    // MARK: After a lost connection

    override func serve() {
        guard let batch = lost, let part = parts.next, simulation.mistake != .rerunsBlindly else { return serveOn() }
        isBusy = true
        let key = key(batch, part.epoch)
        session.transact({ $0.lookUp(key) }) { isCommitted in
            self.simulation.log("\(self.node): batch \(batch) has \(isCommitted ? "" : "not ")committed")
            self.simulation.coverage.reach(isCommitted ? .batchFoundCommitted : .batchFoundLost)
            self.lost = nil
            if isCommitted { self.parts.settle(.committed) }
            self.serveOn()
        }
    }

    private func serveOn() {
        commitParts {
            if !self.isFirstConnection {
                self.simulation.coverage.reach(.reconnected)
                self.node.broker.act { $0.reconnected(now: $1) }
            }
            self.isFirstConnection = false
            self.work()
        }
    }

    // MARK: Batches

    override func work() {
        guard !isBusy else { return }
        // Sometimes the writer waits for more, like PostgresStore's Pace.
        let count = simulation.random.percent(15) ? 3 : 1
        if take(atLeast: count) {
            commitParts { self.work() }
        } else if count > 1 {
            node.later(.milliseconds(1)) {
                guard !self.isBusy, self.session.isOpen, self.take(atLeast: 1) else { return }
                self.commitParts { self.work() }
            }
        }
    }

    private func take(atLeast count: Int) -> Bool {
        guard !isStopping || node.broker.queue.hasWrites(parts.kind) else { return false }
        return node.broker.act { parts.take(from: &$0, atLeast: count, now: $1) }
    }

    private func commitParts(_ finished: @escaping () -> Void) {
        guard let part = parts.next else {
            if parts.isDone { finish() }
            isBusy = false
            return finished()
        }
        isBusy = true
        batchNumber += 1
        lost = batchNumber
        let key = key(batchNumber, part.epoch)
        simulation.log("\(node): batch \(batchNumber) of \(parts.kind), epoch \(part.epoch): \(part.summary)")
        if let refusal = simulation.drawRefusal() {
            return session.transact({ _ in WriteOutcome.refused(refusal) }) { self.settle($0, finished) }
        }
        if simulation.mistake == .acknowledgesFirst {
            session.transact({ $0.run(part, as: key, at: self.simulation.now) }) { (_: WriteOutcome) in }
            return settle(.committed, finished)
        }
        session.transact({ self.run(part, key, $0) }) { self.settle($0, finished) }
    }

    private func run(_ part: WriteBatch, _ key: Database.LedgerKey, _ database: Database) -> WriteOutcome? {
        let isClaimed = database.ledger[key] == .claim
        guard let outcome = database.run(part, as: key, at: simulation.now) else { return nil }
        if isClaimed { simulation.coverage.reach(.lateBatchTurnedAway) }
        switch outcome {
        case .committed, .committedWithout: untold.append(database.change.number)
        case .refused, .fenced: break
        }
        return outcome
    }

    private func settle(_ outcome: WriteOutcome, _ finished: @escaping () -> Void) {
        lost = nil
        if case .refused(.tubeGone) = outcome { simulation.coverage.reach(.tubeGone) }
        if case .fenced = outcome { simulation.coverage.reach(.batchFenced) }
        if case .refused(.failed) = outcome, parts.next?.count ?? 0 > 1 { simulation.coverage.reach(.refusedInHalves) }
        parts.settle(outcome)
        commitParts(finished)
    }

    private func finish() {
        simulation.checker.willFinish(node, parts)
        node.broker.act { parts.finish(&$0, now: $1) }
        untold = []
    }
}

extension Simulation {
    func drawRefusal() -> Refusal? {
        guard !isCalm, random.permille(profile.refusals) else { return nil }
        return random.percent(30) ? .full : .failed
    }
}

extension WriteBatch {
    /// For the transcript.
    var summary: String {
        "puts \(puts.map(\.id)), state changes \(stateChanges.map { "\($0.id) to \($0.to)\($0.keepsLease ? ", leased" : "")" }), "
            + "deletes \(deletes.map(\.id)), annotations \(annotations.map(\.id))"
            + (endsSole ? ", ends sole with \(leases)" : "") + (isSole ? ", sole" : "")
    }
}
