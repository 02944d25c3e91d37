import QueueCore

extension TubeRow {
    /// A row of the statement `tubes`.
    init(_ rows: Rows, _ row: Int) {
        self.init(
            id: rows.int32(row, 0), name: TubeName(unchecked: rows.string(row, 1)), pause: rows.int64(row, 2),
            pauseLeft: rows.int64(row, 3), counts: rows.counts(row, from: 4), heldElsewhere: rows.counts(row, from: 8))
    }
}

extension Rows {
    /// Four columns: urgent, ready, delayed, buried.
    func counts(_ row: Int, from column: Int) -> StateCounts {
        StateCounts(
            urgent: Int(int64(row, column)), ready: Int(int64(row, column + 1)), delayed: Int(int64(row, column + 2)),
            buried: Int(int64(row, column + 3)))
    }
}
