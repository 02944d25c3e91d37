import Logging
import QueueCore

/// Tells the log what keeps a broker that is alone from being the sole one: a line when that lasts, and one when it is
/// over.
struct SoleHindrance {
    private let logger: Logger
    private var since: Instant?
    private var isTold = false

    /// Transactions of SQL come and go.
    private static let patience = Span.seconds(5)

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func met(_ what: String, at now: Instant) {
        let since = since ?? now
        self.since = since
        guard !isTold, now - since >= SoleHindrance.patience else { return }
        isTold = true
        logger.warning("cannot become the sole broker and goes on sharing, which is slower: \(what)")
    }

    mutating func isOver() {
        if isTold { logger.notice("is the sole broker: nothing is in the way of that any more") }
        forget()
    }

    /// There is another broker.
    mutating func forget() {
        since = nil
        isTold = false
    }
}
