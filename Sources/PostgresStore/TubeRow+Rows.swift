import QueueCore

extension TubeRow {
    /// A row of the statement `tubes`, in which NULL is zero; `nil` when no tube can have its name.
    init?(_ rows: Rows, _ row: Int) {
        guard let name = TubeName(rows.string(row, 1)) else { return nil }
        self.init(
            id: rows.int32(row, 0), name: name, pause: rows.int64OrZero(row, 2),
            pauseLeft: rows.int64OrZero(row, 3), counts: rows.counts(row, from: 4),
            heldElsewhere: rows.counts(row, from: 8))
    }
}

extension Rows {
    /// Four columns: urgent, ready, delayed, buried.
    func counts(_ row: Int, from column: Int) -> StateCounts {
        StateCounts(
            urgent: number(row, column), ready: number(row, column + 1), delayed: number(row, column + 2),
            buried: number(row, column + 3))
    }

    /// A number of jobs: however wrong it is, it can be added to others.
    private func number(_ row: Int, _ column: Int) -> Int {
        max(-Rows.mostJobs, min(Rows.mostJobs, Int(int64OrZero(row, column))))
    }

    fileprivate func int64OrZero(_ row: Int, _ column: Int) -> Int64 { isNull(row, column) ? 0 : int64(row, column) }

    private static let mostJobs = 1 << 53
}
