/// What the database says of itself.
public struct DatabaseMetrics: Sendable {
    /// Bytes of the table of jobs with its indexes.
    public var jobTableBytes: Int64 = 0
    /// Estimates, by table.
    public var deadRows: [(table: String, rows: Int64)] = []
    /// Seconds that the oldest transaction has lasted that keeps dead rows from being cleaned up, of those that PostgreSQL
    /// shows to the broker's role.
    public var oldestSnapshot: Double = 0
    /// How many rows of each kind the view `warnings` has; kinds without rows are there too.
    public var warnings: [(warning: String, count: Int64)] = []

    init(_ rows: Rows) {
        let column = rows.columns(DatabaseMetricColumns.self)
        for row in rows.indices {
            let (label, value) = (rows[row, column.label], rows[row, column.value])
            switch rows[row, column.metric] {
            case "job_table_bytes": jobTableBytes = Int64(value)
            case "dead_rows": deadRows.append((label, Int64(value)))
            case "oldest_snapshot": oldestSnapshot = value
            default: warnings.append((label, Int64(value)))
            }
        }
    }
}

extension AdminStore {
    /// One statement, which takes some milliseconds.
    public func databaseMetrics() async throws -> DatabaseMetrics {
        try await read { connection in DatabaseMetrics(try connection.ask(.databaseMetrics)) }
    }
}
