import LogKeys
import Logging

/// What a thread of the store cannot do at the moment. The log says so once, and once more when it is over, however
/// often it is tried: what fails twenty times a second would hide everything else.
struct Complaints {
    private let logger: Logger
    /// The SQLSTATE, or text, of what was last said of each task.
    private var open: [String: String] = [:]

    init(_ logger: Logger) { self.logger = logger }

    mutating func add(_ error: StoreError, to task: String) {
        let cause = error.sqlState ?? error.description
        guard open.updateValue(cause, forKey: task) != cause else { return }
        logger.error("cannot \(task)", metadata: [LogKey.error: "\(error)"])
    }

    mutating func end(_ task: String) {
        guard !open.isEmpty, open.removeValue(forKey: task) != nil else { return }
        logger.notice("can \(task) again")
    }

    /// Does one task of several; when it is refused, the others go on. Only a lost connection is an error. One that meets a
    /// lock is tried again soon, of which nothing need be said.
    mutating func attempt(_ task: String, _ body: () throws -> Void) throws {
        do {
            try body()
            end(task)
        } catch let error as StoreError where !error.isLost {
            if !error.isLockTimeout { add(error, to: task) }
        }
    }
}
