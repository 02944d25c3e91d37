import LogKeys
import Logging
import QueueCore
import Synchronization

/// Commits batches of one kind, one after the other, each in one round trip: all its statements go out at once, and the
/// sync at their end commits them. While one batch commits the next one collects (docs/ARCHITECTURE.md, The life of a job).
final class Writer: SameServerWorker, @unchecked Sendable {
    private let kind: WriteKind
    /// Its number in the ledger.
    let number: Int16

    private unowned let client: any StoreClient
    private let committed: Mutex<CommitSnapshot>
    private var isFirstConnection = true
    /// It has no connection and needs none.
    private var isIdle = true
    private var pace = Pace()
    private var batchNumber: Int64 = 0
    /// The parts of the current batch that are left, the next one last.
    private var parts: [WriteBatch] = []
    /// The parts that are done. They wait for the rest.
    private var done: [(batch: WriteBatch, outcome: WriteOutcome)] = []
    /// The number of the next part if it was sent and its outcome is not known.
    private var lost: Int64?
    /// What the ledger has counted too much for missing jobs, and under which epoch. The next entry takes it back.
    private var owed: (epoch: Int64, changes: [(tube: TubeID, counts: StateCounts)])?

    init(
        _ kind: WriteKind, _ configuration: StoreConfiguration, _ server: CurrentServer, _ client: any StoreClient,
        _ logger: Logger
    ) {
        self.kind = kind
        self.client = client
        committed = Mutex(CommitSnapshot(kind: kind))
        number =
            switch kind {
            case .puts: 0
            case .changes: 2
            case .largePuts: 3
            }
        super.init("\(kind)", Statement.writer, configuration, server, logger)
    }

    /// The batches so far.
    var commits: CommitSnapshot { committed.withLock { $0 } }

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
                committed.withLock { $0.add(batch.count, in: idleSince - start) }
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

    /// Large bodies are rare, and leave large buffers at both ends of their connection. It is closed after this time
    /// without one.
    private var idleTime: Span? { kind == .largePuts ? .seconds(5) : nil }

    override func awaitWork() {
        guard kind == .largePuts, isIdle else { return }
        _ = bell.wait()
        isIdle = false
    }

    /// Looks up whether the lost part has committed (docs/ARCHITECTURE.md, Invariants: no guessed outcomes).
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

    /// - Returns: The number of operations that have collected meanwhile.
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
            // An empty batch carries it to the ledger at once: the next write may be far off.
            if owed != nil { parts.append(WriteBatch(epoch: part.epoch)) }
        case .refused, .fenced: break
        }
        if !part.isEmpty { done.append((part, outcome)) }
    }

    /// One bad operation must not fail the others: a refused part is split in halves.
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
        // A client that tries again at once would get the same answer.
        if error.isFull { _ = bell.wait(milliseconds: 20) }
    }

    /// Commits a batch.
    /// - Returns: The jobs that it was to change and that the broker does not have.
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
        // For each statement, whether it returns missing jobs.
        var sent = [false]
        func add(_ statement: Statement, _ parameters: Parameters, returnsMissing: Bool = false) throws {
            try connection.send(statement, parameters)
            sent.append(returnsMissing)
        }
        if !batch.puts.isEmpty { try add(.put, batch.putParameters) }
        if !batch.stateChanges.isEmpty {
            try add(.changeStates, batch.stateChangeParameters(at: now), returnsMissing: true)
        }
        if !batch.annotations.isEmpty {
            try add(.annotate, batch.annotateParameters(at: now), returnsMissing: true)
        }
        let archived = batch.deletes.compactMap { delete in delete.ending.map { (id: delete.id, ending: $0) } }
        if !archived.isEmpty { try add(.archive, batch.archiveParameters(archived, at: now)) }
        if !batch.deletes.isEmpty { try add(.delete, batch.deleteParameters, returnsMissing: true) }
        if batch.endsSole {
            try add(.writeLeases, batch.leaseParameters)
            var parameters = Parameters()
            parameters.add(batch.epoch)
            try add(.endSole, parameters)
        }
        if let answer = batch.answer {
            var parameters = Parameters()
            parameters.add(batch.epoch)
            parameters.add(answer)
            try add(.answerRecall, parameters)
        }
        try connection.sendSync()
        let results = try connection.results(of: sent.count)
        return zip(results, sent).flatMap { $1 ? $0.missing : [] }
    }
}

/// The columns of `SQL.missing`.
struct MissingJobColumns: RowColumns {
    let id: Column<Int64>
    let isThere: Column<Bool>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        isThere = column("is_there")
    }
}

extension Rows {
    fileprivate var missing: [MissingJob] {
        guard count > 0 else { return [] }
        let column = columns(MissingJobColumns.self)
        return indices.map { MissingJob(id: JobID(clamping: self[$0, column.id]), isThere: self[$0, column.isThere]) }
    }
}
