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
    private var pace = Pace()
    private var batchNumber: Int64 = 0
    /// What is left of the batch at hand, the next part last; what is done of it waits for the rest.
    private var parts: [WriteBatch] = []
    private var done: [(batch: WriteBatch, outcome: WriteOutcome)] = []
    /// Under which number the next part was sent when the connection was lost before its outcome came.
    private var lost: Int64?

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
        while true {
            try checkTerm()
            if let batch = client.takeWrites(kind, atLeast: pace.wanted) {
                let start = client.now()
                parts = [batch]
                let collected = try commitParts(connection)
                pace.committed(batch.count, in: client.now() - start, collected: collected)
            } else if pace.wanted > 1 {
                _ = bell.wait(nanoseconds: pace.patience.nanoseconds)
                pace.stopWaiting()
            } else if isStopping {
                return
            } else if bell.wait(socket: connection.socket), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
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
                try send(part, connection)
                try noteCommit(of: batchNumber, epoch: part.epoch, by: number)
                settle(.committed)
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
        done.append((parts.removeLast(), outcome))
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

    private func send(_ batch: WriteBatch, _ connection: Connection) throws {
        let now = client.now()
        try connection.send(
            .ledger, Ledger.entry(epoch: batch.epoch, number, batchNumber, changes: batch.changes))
        var expected: [(String, Int?)] = []
        func add(_ statement: Statement, _ parameters: Parameters, _ count: Int?) throws {
            try connection.send(statement, parameters)
            expected.append((statement.name, count))
        }
        if !batch.puts.isEmpty { try add(.put, batch.putParameters, batch.puts.count) }
        if !batch.moves.isEmpty { try add(.move, batch.moveParameters(at: now), batch.moves.count) }
        if !batch.annotations.isEmpty {
            try add(.annotate, batch.annotateParameters(at: now), batch.annotations.count)
        }
        let archived = batch.deletes.compactMap { delete in delete.ending.map { (id: delete.id, ending: $0) } }
        if !archived.isEmpty { try add(.archive, batch.archiveParameters(archived, at: now), archived.count) }
        if !batch.deletes.isEmpty { try add(.delete, batch.deleteParameters, batch.deletes.count) }
        if batch.endsSole {
            try add(.lease, batch.leaseParameters, nil)
            var parameters = Parameters()
            parameters.add(batch.epoch)
            try add(.endSole, parameters, 1)
        }
        if let answer = batch.answer {
            var parameters = Parameters()
            parameters.add(batch.epoch)
            parameters.add(answer)
            try add(.answer, parameters, 1)
        }
        try connection.sendSync()
        let results = try connection.results(of: expected.count + 1)
        for case (let result, (let name, let count?)) in zip(results.dropFirst(), expected)
        where result.changed != count {
            // Somebody changed rows that this broker holds the lease of, or an asynchronous commit was lost.
            logger.error(
                "rows that this broker holds were changed by somebody else",
                metadata: [LogKey.statement: "\(name)", LogKey.expected: "\(count)", LogKey.count: "\(result.changed)"])
        }
    }
}
