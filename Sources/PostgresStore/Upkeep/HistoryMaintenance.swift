import LogKeys
import Logging
import QueueCore

/// Has the partitions of the history made and dropped, a partition a day. What fails is tried again a minute later.
struct HistoryMaintenance {
    private static let interval = Span.milliseconds(60_000)

    private let logger: Logger
    private var next: Instant?
    private var hasFailed = false

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Works once a minute, the first time at once. Throws only when the connection is lost. Another failure is logged
    /// once, until it works again.
    mutating func look(_ connection: Connection, at now: Instant) throws {
        if let next, now < next { return }
        next = now + HistoryMaintenance.interval
        do {
            try connection.inTransaction(Statement.limitHistory) { _ = try connection.execute(.keepHistory) }
            if hasFailed { logger.notice("the days of history are looked after again") }
            hasFailed = false
        } catch let error as StoreError where !error.isLost {
            if !hasFailed {
                logger.warning("the days of history could not be looked after", metadata: [LogKey.error: "\(error)"])
            }
            hasFailed = true
        }
    }
}
