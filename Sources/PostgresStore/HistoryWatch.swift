import LogKeys
import Logging
import QueueCore

/// Has the days of history made and dropped. What cannot be done at once can be done a minute later.
struct HistoryWatch {
    private static let every = Span.milliseconds(60_000)

    private let logger: Logger
    private var next: Instant?
    private var hasFailed = false

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Once a minute, the first time at once. Only a lost connection is an error. What else fails is said once, until it
    /// works again.
    mutating func look(_ connection: Connection, at now: Instant) throws {
        if let next, now < next { return }
        next = now + HistoryWatch.every
        do {
            try connection.inTransaction {
                try connection.run("set local statement_timeout to '1s'")
                _ = try connection.execute(.keepHistory)
            }
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
