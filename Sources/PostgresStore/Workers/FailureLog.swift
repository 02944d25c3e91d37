import LogKeys
import Logging

/// Logs a task that fails once, and once more when it works again, however often it is tried. A line for each of twenty
/// failures a second would hide everything else.
struct FailureLog {
    private let logger: Logger
    /// The SQLSTATE, or the text, of the last error that was logged for each task that fails.
    private var failing: [String: String] = [:]

    init(_ logger: Logger) { self.logger = logger }

    mutating func failed(_ error: StoreError, task: String) {
        let cause = error.sqlState ?? error.description
        guard failing.updateValue(cause, forKey: task) != cause else { return }
        logger.error("cannot \(task)", metadata: [LogKey.error: "\(error)"])
    }

    mutating func succeeded(_ task: String) {
        guard !failing.isEmpty, failing.removeValue(forKey: task) != nil else { return }
        logger.notice("can \(task) again")
    }

    /// Does one task of several. If PostgreSQL refuses it, the others go on; only a lost connection is thrown. A task that
    /// meets a lock is tried again soon and not logged.
    mutating func attempt(_ task: String, _ body: () throws -> Void) throws {
        do {
            try body()
            succeeded(task)
        } catch let error as StoreError where !error.isLost {
            if !error.isLockTimeout { failed(error, task: task) }
        }
    }
}
