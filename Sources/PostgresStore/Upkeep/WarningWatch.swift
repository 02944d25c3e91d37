import Logging
import QueueCore

/// Logs what the view `warnings` shows: a line when a warning appears, and one when it is gone.
struct WarningWatch {
    private static let interval = Span.milliseconds(60_000)
    /// The first look waits: a start has more urgent things to do.
    private static let delay = Span.milliseconds(5000)

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

    /// Looks once a minute, the first time soon after the first call. Throws only when the connection is lost: a role
    /// that is older than the view may not read it.
    mutating func look(_ connection: Connection, at now: Instant) throws {
        guard let next else {
            self.next = now + WarningWatch.delay
            return
        }
        guard next <= now else { return }
        self.next = now + WarningWatch.interval
        do {
            compare(try connection.ask(.warnings))
            hasFailed = false
        } catch let error as StoreError where !error.isLost {
            if !hasFailed { logger.warning("cannot look for warnings: \(error)") }
            hasFailed = true
        }
    }

    private mutating func compare(_ rows: Rows) {
        let column = rows.columns(WarningColumns.self)
        var found: Set<Warning> = []
        for row in rows.indices {
            let warning = Warning(kind: rows[row, column.warning], object: rows[row, column.object])
            found.insert(warning)
            guard !known.contains(warning) else { continue }
            let amount = rows.optional(row, column.amount).map { ", \($0) \(rows[row, column.unit])" } ?? ""
            logger.warning("\(warning.kind): \(warning.object)\(amount). \(rows[row, column.hint])")
        }
        for gone in known.subtracting(found) { logger.notice("no more \(gone.kind): \(gone.object)") }
        known = found
    }
}

private struct WarningColumns: RowColumns {
    let warning: Column<String>
    let object: Column<String>
    let amount: Column<Int64>
    let unit: Column<String>
    let hint: Column<String>

    init(_ column: inout ColumnFinder) {
        warning = column("warning")
        object = column("object")
        amount = column("amount")
        unit = column("unit")
        hint = column("hint")
    }
}
