import LogKeys
import Logging
import QueueCore

/// Runs queries. Those that write run in two steps: the statements, whose results tell what they did, then the ledger row
/// and the commit. If the connection is lost in between, nothing has happened; if it is lost later, the ledger tells the
/// outcome, and the answers are already here (docs/ARCHITECTURE.md, The ledger).
final class QueryRunner: SameServerWorker, @unchecked Sendable {
    /// Its number in the ledger, beside the writers'.
    static let number: Int16 = 1

    private unowned let client: any StoreClient
    private var batchNumber: Int64 = 0
    /// The queries under way, and the answers to the first of them.
    private var queries: [PendingQuery] = []
    private var answers: [Answer] = []
    private var failures: FailureLog
    /// The rows whose flaws have been logged.
    private var flawed: Set<Int64> = []
    /// A commit whose outcome was lost: its number and epoch, and the answers if it happened.
    private var lost: (number: Int64, epoch: Int64, answers: [Answer])?

    init(_ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient, _ logger: Logger) {
        self.client = client
        failures = FailureLog(logger)
        super.init("queries", Statement.queryRunner, configuration, server, logger)
    }

    override func prepare(_ connection: Connection) throws {
        try connection.run(Statement.queryRunnerSettings)
        try super.prepare(connection)
    }

    override func serve(_ connection: Connection) throws {
        if let lost {
            let isCommitted = try Ledger.lookUp(
                connection, epoch: lost.epoch, writer: QueryRunner.number, batch: lost.number)
            if isCommitted {
                try noteCommit(of: lost.number, epoch: lost.epoch, by: QueryRunner.number)
                answers += lost.answers
            }
            self.lost = nil
        }
        while true {
            try checkTerm()
            if queries.isEmpty { queries = client.takeQueries() }
            if !queries.isEmpty {
                try answer(connection)
            } else if isStopping {
                return
            } else if bell.wait(socket: connection.socket), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    private func answer(_ connection: Connection) throws {
        let open = Array(queries.dropFirst(answers.count))
        do {
            answers += try run(open, connection)
        } catch let error as StoreError where !error.isLost {
            if error.isFenced { return fenced() }
            // One of them fails; the others may succeed.
            for query in open { answers.append(try runAlone(query, connection)) }
        }
        client.finish(queries, answers)
        queries = []
        answers = []
    }

    private func runAlone(_ query: PendingQuery, _ connection: Connection) throws -> Answer {
        do {
            return try run([query], connection)[0]
        } catch let error as StoreError where !error.isLost && !error.isFenced {
            if error.isLockTimeout { return .refused(.busy) }
            if error.isTubeGone { return .refused(.tubeGone) }
            if let task = query.query.backgroundTask {
                failures.failed(error, task: task)
            } else {
                logger.error("a query was refused", metadata: [LogKey.error: "\(error)"])
            }
            return .refused(error.isFull ? .full : .failed)
        }
    }

    private func fenced() {
        let left = Array(queries.dropFirst(answers.count))
        client.finish(Array(queries.prefix(answers.count)), answers)
        queries = []
        answers = []
        client.fenced(left)
    }

    private func run(_ queries: [PendingQuery], _ connection: Connection) throws -> [Answer] {
        guard !queries.isEmpty else { return [] }
        let epoch = queries[0].epoch
        let isWriting = queries.contains { $0.query.isWriting }
        let statements = queries.flatMap { $0.query.statements(epoch: epoch) }
        if isWriting { try connection.send(.begin) }
        for (statement, parameters) in statements { try connection.send(statement, parameters) }
        try connection.sendSync()
        var results = try self.results(of: statements.count + (isWriting ? 1 : 0), isWriting, connection)[...]
        if isWriting { results.removeFirst() }
        let answers = queries.map { $0.query.answer(from: &results) }
        let flaws = zip(queries, answers).flatMap { query, answer in
            answer.flaws.map { (flaw: $0, isClaimed: query.query.isClaiming) }
        }
        log(flaws.map(\.flaw))
        if isWriting {
            try releaseFlawed(flaws.filter(\.isClaimed).map(\.flaw), connection)
            let changes = zip(queries, answers).flatMap { $1.changes(of: $0.query) }
            try commit(answers, changes, epoch, connection)
        } else {
            // What was read on a server that the keeper has left may be old.
            try checkTerm()
        }
        for query in queries { if let task = query.query.backgroundTask { failures.succeeded(task) } }
        return answers
    }

    private func results(of count: Int, _ isWriting: Bool, _ connection: Connection) throws -> [Rows] {
        do {
            return try connection.results(of: count)
        } catch let error as StoreError where isWriting && !error.isLost {
            try rollBack(connection)
            throw error
        }
    }

    // MARK: Flawed rows

    /// Gives back the leases of flawed rows, so that an operator can mend or delete them beside the brokers.
    private func releaseFlawed(_ flaws: [JobRow.Flaw], _ connection: Connection) throws {
        guard !flaws.isEmpty else { return }
        var parameters = Parameters()
        parameters.add(int8s: flaws.map(\.row))
        try connection.send(.releaseFlawed, parameters)
        try connection.sendSync()
        _ = try results(of: 1, true, connection)
    }

    /// Logs each row once.
    private func log(_ flaws: [JobRow.Flaw]) {
        for flaw in flaws {
            if flawed.count >= QueryRunner.rememberedFlaws { flawed = [] }
            guard flawed.insert(flaw.row).inserted else { continue }
            logger.error(
                "a row of the table job is none of a job and is given to nobody: mend it, or delete it",
                metadata: [LogKey.job: "\(flaw.row)", LogKey.error: "\(flaw.description)"])
        }
    }

    private static let rememberedFlaws = 1000

    // MARK: Commit

    private func commit(
        _ answers: [Answer], _ changes: [(tube: TubeID, counts: StateCounts)], _ epoch: Int64, _ connection: Connection
    ) throws {
        batchNumber += 1
        lost = (batchNumber, epoch, answers)
        try connection.send(
            .ledger, Ledger.entry(epoch: epoch, QueryRunner.number, batchNumber, changes: changes))
        try connection.send(.commit)
        try connection.sendSync()
        do {
            _ = try connection.results(of: 2)
        } catch let error as StoreError where !error.isLost {
            lost = nil
            try rollBack(connection)
            throw error
        }
        try noteCommit(of: batchNumber, epoch: epoch, by: QueryRunner.number)
        lost = nil
    }

    private func rollBack(_ connection: Connection) throws {
        try connection.send(.rollback)
        try connection.sendSync()
        _ = try connection.results(of: 1)
    }
}
