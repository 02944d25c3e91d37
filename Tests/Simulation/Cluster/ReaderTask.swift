@testable import QueueCore

/// Answers queries in two steps, as PostgresStore's QueryRunner.
final class ReaderTask: DatabaseTask {
    static let number = 9

    private(set) var queries: [PendingQuery] = []
    private var answers: [Answer] = []
    private var batchNumber: Int64 = 0
    /// A commit whose answer has not come: its key, and the answers to give if it has happened.
    private var lost: (key: Database.LedgerKey, answers: [Answer])?
    /// One of the queries cannot be done, so each gets a transaction of its own.
    private var isAlone = false
    private(set) var untold: [Int] = []

    // MARK: After a lost connection

    override func serve() {
        guard let lost else { return answerOn() }
        isBusy = true
        session.transact({ $0.lookUp(lost.key) }) { isCommitted in
            let isKept = isCommitted && self.simulation.mistake != .readerForgets
            self.simulation.log("\(self.node): queries \(lost.key.batch) have \(isCommitted ? "" : "not ")committed")
            self.simulation.coverage.reach(isCommitted ? .queriesFoundCommitted : .queriesFoundLost)
            if isKept { self.answers += lost.answers }
            self.lost = nil
            self.answerOn()
        }
    }

    // MARK: Queries

    override func work() {
        guard !isBusy, !isStopping else { return }
        queries = node.broker.act { $0.takeQueries(now: $1) }
        guard !queries.isEmpty else { return }
        simulation.log("\(node): asks \(queries.map(\.query)), epoch \(queries[0].epoch)")
        answerOn()
    }

    private func answerOn() {
        let open = queries.dropFirst(answers.count)
        guard let first = open.first else { return finish() }
        isBusy = true
        run(isAlone ? [first] : Array(open))
    }

    private func run(_ open: [PendingQuery]) {
        if let refusal = simulation.drawRefusal() {
            return session.transact({ _ in refusal }) { self.refused($0, open) }
        }
        let epoch = open[0].epoch
        let asked = open.map(\.query)
        guard asked.contains(where: \.isWriting) else {
            return session.transact({ $0.run(asked, epoch: epoch, at: self.simulation.now) }) { self.answered($0) }
        }
        session.prepare({ $0.prepare(asked, epoch: epoch, at: self.simulation.now) }) { self.commit($0) }
    }

    private func commit(_ prepared: Database.Prepared) {
        batchNumber += 1
        let key = Database.LedgerKey(epoch: prepared.epoch, writer: ReaderTask.number, batch: batchNumber)
        lost = (key, prepared.answers)
        session.transact({ self.commit(prepared, key, $0) }) { outcome in
            self.lost = nil
            switch outcome {
            case .committed: self.answered(prepared.answers)
            case .fenced: self.fenced()
            case .aborted: self.session.lose()
            }
        }
    }

    private func commit(
        _ prepared: Database.Prepared, _ key: Database.LedgerKey, _ database: Database
    ) -> Database.CommitOutcome? {
        let outcome = database.commit(prepared, as: key, at: simulation.now)
        if case .committed = outcome { untold.append(database.change.number) }
        return outcome
    }

    private func answered(_ more: [Answer]) {
        answers += more
        answerOn()
    }

    private func refused(_ refusal: Refusal, _ open: [PendingQuery]) {
        if isAlone || open.count == 1 { answers.append(.refused(refusal)) }
        isAlone = true
        answerOn()
    }

    // MARK: Telling the broker

    private func finish() {
        guard !queries.isEmpty else {
            isBusy = false
            return work()
        }
        let (asked, told) = (queries, answers)
        forget()
        simulation.checker.willFinish(node, asked)
        node.broker.act { $0.finish(asked, told, now: $1) }
        untold = []
        isBusy = false
        work()
    }

    private func fenced() {
        simulation.coverage.reach(.queriesFenced)
        let (done, told) = (Array(queries.prefix(answers.count)), answers)
        let left = Array(queries.dropFirst(answers.count))
        forget()
        node.broker.act { $0.finish(done, told, now: $1) }
        untold = []
        node.broker.act { $0.fenced(left, now: $1) }
        isBusy = false
        work()
    }

    private func forget() {
        queries = []
        answers = []
        isAlone = false
    }
}
