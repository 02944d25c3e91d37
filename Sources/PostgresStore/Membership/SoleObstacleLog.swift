import Logging
import QueueCore

/// Logs what keeps a broker without peers from being the sole one: a line when that lasts, and one when it is over.
struct SoleObstacleLog {
    private let logger: Logger
    private var since: Instant?
    private var isLogged = false

    /// Transactions of SQL come and go.
    private static let patience = Span.seconds(5)

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func met(_ obstacle: String, at now: Instant) {
        let since = since ?? now
        self.since = since
        guard !isLogged, now - since >= SoleObstacleLog.patience else { return }
        isLogged = true
        logger.warning("cannot become the sole broker and goes on sharing, which is slower: \(obstacle)")
    }

    /// The broker has become the sole one.
    mutating func end() {
        if isLogged { logger.notice("is the sole broker: nothing is in the way of that any more") }
        forget()
    }

    /// There is another broker.
    mutating func forget() {
        since = nil
        isLogged = false
    }
}
