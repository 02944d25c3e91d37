import LogKeys
import Logging
import QueueCore

/// Has partitions made and dropped: the days of history, and those of samples. What fails is tried again a minute later.
struct PartitionMaintenance {
    private static let interval = Span.milliseconds(60_000)

    private let statement: Statement
    private let what: String
    private let logger: Logger
    private var next: Instant?
    private var hasFailed = false

    /// `what`: for the log.
    init(_ statement: Statement, _ what: String, _ logger: Logger) {
        self.statement = statement
        self.what = what
        self.logger = logger
    }

    /// Works once a minute, the first time at once. Throws only when the connection is lost. Another failure is logged
    /// once, until it works again.
    mutating func look(_ connection: Connection, at now: Instant) throws {
        if let next, now < next { return }
        next = now + PartitionMaintenance.interval
        do {
            try connection.inTransaction(Statement.limitHistory) { _ = try connection.execute(statement) }
            if hasFailed { logger.notice("\(what) are looked after again") }
            hasFailed = false
        } catch let error as StoreError where !error.isLost {
            if !hasFailed {
                logger.warning("\(what) could not be looked after", metadata: [LogKey.error: "\(error)"])
            }
            hasFailed = true
        }
    }
}
