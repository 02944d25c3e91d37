import Logging
import QueueCore

/// Tells the log what the view `warnings` has: a line when something appears, and one when it is gone.
struct WarningWatch {
    private static let every = Span.milliseconds(60_000)
    /// A start has more urgent things to do.
    private static let first = Span.milliseconds(5000)

    private let logger: Logger
    private var known: Set<Warning> = []
    private var next: Instant?
    private var hasFailed = false

    private struct Warning: Hashable {
        let kind: String
        let object: String
    }

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Looks once a minute, the first time soon after the first call. Only a lost connection is an error: a role that
    /// was made before the view was may not read it.
    mutating func look(_ connection: Connection, at now: Instant) throws {
        guard let next else {
            self.next = now + WarningWatch.first
            return
        }
        guard next <= now else { return }
        self.next = now + WarningWatch.every
        do {
            compare(try connection.ask(.warnings))
            hasFailed = false
        } catch let error as StoreError where !error.isLost {
            if !hasFailed { logger.warning("cannot look for warnings: \(error)") }
            hasFailed = true
        }
    }

    private mutating func compare(_ rows: Rows) {
        var found: Set<Warning> = []
        for row in 0..<rows.count {
            let warning = Warning(kind: rows.string(row, 0), object: rows.string(row, 1))
            found.insert(warning)
            guard !known.contains(warning) else { continue }
            let amount = rows.isNull(row, 2) ? "" : ", \(rows.int64(row, 2)) \(rows.string(row, 3))"
            logger.warning("\(warning.kind): \(warning.object)\(amount). \(rows.string(row, 4))")
        }
        for gone in known.subtracting(found) { logger.notice("no more \(gone.kind): \(gone.object)") }
        known = found
    }
}

extension Statement {
    /// Not prepared: a plan for once a minute is soon made.
    static let warnings = Statement(
        name: "", sql: "select warning, object, amount, unit, hint from warnings order by warning, object")
}
