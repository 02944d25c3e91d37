import LogKeys
import Logging
import QueueCore

/// Commits batches of one kind, one after the other, each in one round trip: all its statements go out at once and the
/// sync at their end commits them. While one commits the next collects (design, section 4).
final class Writer: Follower, @unchecked Sendable {
    private let kind: WriteKind
    /// Names it in the ledger.
    let number: Int16

    private unowned let client: any StoreClient
    private var isFirstConnection = true
    /// Has no connection, and needs none.
    private var isIdle = true
    private var pace = Pace()
    private var batchNumber: Int64 = 0
    /// What is left of the batch at hand, the next part last; what is done of it waits for the rest.
    private var parts: [WriteBatch] = []
    private var done: [(batch: WriteBatch, outcome: WriteOutcome)] = []
    /// Under which number the next part was sent when the connection was lost before its outcome came.
    private var lost: Int64?
    /// What the ledger has counted too much for jobs that were missing, under which epoch: the next entry has it.
    private var owed: (epoch: Int64, changes: [(tube: TubeID, counts: StateCounts)])?

    init(
        _ kind: WriteKind, _ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient,
        _ logger: Logger
    ) {
        self.kind = kind
        self.client = client
        number =
            switch kind {
            case .puts: 0
            case .changes: 2
            case .largePuts: 3
            }
        super.init("\(kind)", Statement.writer, configuration, server, logger)
    }

    override func prepare(_ connection: Connection) throws {
        try connection.run(Statement.joinByHash)
        try super.prepare(connection)
    }

    override func serve(_ connection: Connection) throws {
        try lookUpLost(connection)
        try commitParts(connection)
        if !isFirstConnection { client.reconnected() }
        isFirstConnection = false
        var idleSince = client.now()
        while true {
            try checkTerm()
            if let batch = client.takeWrites(kind, atLeast: pace.wanted) {
                let start = client.now()
                parts = [batch]
                let collected = try commitParts(connection)
                idleSince = client.now()
                pace.committed(batch.count, in: idleSince - start, collected: collected)
            } else if pace.wanted > 1 {
                _ = bell.wait(nanoseconds: pace.patience.nanoseconds)
                pace.stopWaiting()
            } else if isStopping {
                return
            } else if let idleTime, client.now() - idleSince >= idleTime {
                isFirstConnection = true
                isIdle = true
                return
            } else {
                let milliseconds = idleTime.map { Int32($0.nanoseconds / 1_000_000) } ?? -1
                if bell.wait(socket: connection.socket, milliseconds: milliseconds), connection.isClosed() {
                    throw StoreError.lost("the server closed the connection")
                }
            }
        }
    }

    /// Large bodies come seldom, and leave both ends of their connection large: it is closed when none has come for so
    /// long.
    private var idleTime: Span? { kind == .largePuts ? .seconds(5) : nil }

    override func awaitWork() {
        guard kind == .largePuts, isIdle else { return }
        _ = bell.wait()
        isIdle = false
    }

    /// Invariant 7: whether the lost part happened is looked up, never guessed.
    private func lookUpLost(_ connection: Connection) throws {
        guard let batch = lost, let part = parts.last else { return }
        let isCommitted = try Ledger.lookUp(connection, epoch: part.epoch, writer: number, batch: batch)
        logger.notice(
            "looked up a batch whose outcome was lost",
            metadata: [LogKey.batch: "\(batch)", LogKey.committed: "\(isCommitted)"])
        if isCommitted {
            try noteCommit(of: batch, epoch: part.epoch, by: number)
            settle(.committed)
        }
        lost = nil
    }

    /// - Returns: how many operations have collected meanwhile.
    @discardableResult
    private func commitParts(_ connection: Connection) throws -> Int {
        while let part = parts.last {
            batchNumber += 1
            lost = batchNumber
            do {
                let missing = try send(part, connection)
                try noteCommit(of: batchNumber, epoch: part.epoch, by: number)
                settle(missing.isEmpty ? .committed : .committedWithout(missing))
            } catch let error as StoreError {
                if error.isLost { throw error }
                refused(part, error)
            }
            lost = nil
        }
        defer { done = [] }
        return done.isEmpty ? 0 : client.finish(kind, done)
    }

    private func settle(_ outcome: WriteOutcome) {
        let part = parts.removeLast()
        switch outcome {
        case .committed: owed = nil
        case .committedWithout(let missing):
            logger.error(
                "somebody else has deleted or changed jobs that clients of this broker have",
                metadata: [LogKey.count: "\(missing.count)", LogKey.job: "\(missing[0].id)"])
            let correction = part.correction(for: missing)
            owed = correction.isEmpty ? nil : (part.epoch, correction)
            // Nothing but its entry in the ledger, at once: nobody may come for long.
            if owed != nil { parts.append(WriteBatch(epoch: part.epoch)) }
        case .refused, .fenced: break
        }
        if !part.isEmpty { done.append((part, outcome)) }
    }

    /// One bad operation must not fail the others: a refused part is done in halves.
    private func refused(_ part: WriteBatch, _ error: StoreError) {
        if error.isTransient { return }
        if error.isFenced { return settle(.fenced) }
        if error.isTubeGone { return settle(.refused(.tubeGone)) }
        if part.count > 1, !part.endsSole, !error.isFull {
            let (first, second) = part.halves
            parts.removeLast()
            parts += [second, first]
            return
        }
        if error.isUniqueViolation { return settle(.refused(.idTaken)) }
        logger.error("a write was refused", metadata: [LogKey.error: "\(error)", LogKey.count: "\(part.count)"])
        settle(.refused(error.isFull ? .full : .failed))
        // Whoever tries again at once meets the same answer.
        if error.isFull { _ = bell.wait(milliseconds: 20) }
    }

    /// Has a batch committed.
    /// - Returns: the jobs that it was to change and has not found.
    private func send(_ batch: WriteBatch, _ connection: Connection) throws -> [MissingJob] {
        let now = client.now()
        var changes = batch.countChanges
        if let owed, owed.epoch == batch.epoch { changes += owed.changes }
        let entry = Ledger.entry(epoch: batch.epoch, number, batchNumber, changes: changes)
        if kind == .largePuts {
            try batch.copyPuts(entry, over: connection)
            return []
        }
        try connection.send(.ledger, entry)
        // Of each statement, whether it tells which jobs are missing.
        var sent = [false]
        func add(_ statement: Statement, _ parameters: Parameters, tellsMissing: Bool = false) throws {
            try connection.send(statement, parameters)
            sent.append(tellsMissing)
        }
        if !batch.puts.isEmpty { try add(.put, batch.putParameters) }
        if !batch.stateChanges.isEmpty { try add(.move, batch.stateChangeParameters(at: now), tellsMissing: true) }
        if !batch.annotations.isEmpty {
            try add(.annotate, batch.annotateParameters(at: now), tellsMissing: true)
        }
        let archived = batch.deletes.compactMap { delete in delete.ending.map { (id: delete.id, ending: $0) } }
        if !archived.isEmpty { try add(.archive, batch.archiveParameters(archived, at: now)) }
        if !batch.deletes.isEmpty { try add(.delete, batch.deleteParameters, tellsMissing: true) }
        if batch.endsSole {
            try add(.lease, batch.leaseParameters)
            var parameters = Parameters()
            parameters.add(batch.epoch)
            try add(.endSole, parameters)
        }
        if let answer = batch.answer {
            var parameters = Parameters()
            parameters.add(batch.epoch)
            parameters.add(answer)
            try add(.answer, parameters)
        }
        try connection.sendSync()
        let results = try connection.results(of: sent.count)
        return zip(results, sent).flatMap { $1 ? $0.missing : [] }
    }
}

extension Rows {
    /// The rows of `SQL.missing`.
    fileprivate var missing: [MissingJob] {
        (0..<count).map { MissingJob(id: JobID(clamping: int64($0, 0)), isThere: bool($0, 1)) }
    }
}
