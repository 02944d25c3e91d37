import QueueCore

/// The columns of rows that are read as `TubeRow`.
struct TubeColumns: RowColumns {
    let id: Column<Int32>
    let name: Column<String>
    let pause: Column<Int64>
    let pauseLeft: Column<Int64>
    let counts: CountColumns
    /// Without them other brokers hold nothing.
    let held: CountColumns?

    init(_ column: inout ColumnFinder) {
        id = column("id")
        name = column("name")
        pause = column("pause")
        pauseLeft = column("pause_left")
        counts = CountColumns(&column)
        let held: Column<Int64>? = column.ifPresent("held_ready")
        self.held = held == nil ? nil : CountColumns(&column, prefix: "held_")
    }
}

/// Four numbers of jobs.
struct CountColumns: RowColumns {
    let urgent: Column<Int64>
    let ready: Column<Int64>
    let delayed: Column<Int64>
    let buried: Column<Int64>

    init(_ column: inout ColumnFinder) { self.init(&column, prefix: "") }

    init(_ column: inout ColumnFinder, prefix: String) {
        urgent = column(prefix + "urgent")
        ready = column(prefix + "ready")
        delayed = column(prefix + "delayed")
        buried = column(prefix + "buried")
    }
}

extension TubeRow {
    /// NULL is zero. `nil` if no tube can have the name.
    init?(_ rows: Rows, _ row: Int, _ column: TubeColumns) {
        guard let name = TubeName(rows[row, column.name]) else { return nil }
        self.init(
            id: rows[row, column.id], name: name, pause: rows.orZero(row, column.pause),
            pauseLeft: rows.orZero(row, column.pauseLeft), counts: rows.counts(row, column.counts),
            heldElsewhere: column.held.map { rows.counts(row, $0) } ?? StateCounts())
    }
}

extension Parameters {
    /// Adds numbers of jobs as four arrays: urgent, ready, delayed and buried.
    mutating func add(counts: some Collection<StateCounts>) {
        for number in [\StateCounts.urgent, \.ready, \.delayed, \.buried] {
            add(int8s: counts.map { Int64($0[keyPath: number]) })
        }
    }
}

extension Rows {
    fileprivate func counts(_ row: Int, _ column: CountColumns) -> StateCounts {
        StateCounts(
            urgent: jobs(row, column.urgent), ready: jobs(row, column.ready), delayed: jobs(row, column.delayed),
            buried: jobs(row, column.buried))
    }

    /// A number of jobs. However wrong it is, it can be added to others.
    private func jobs(_ row: Int, _ column: Column<Int64>) -> Int {
        max(-Rows.mostJobs, min(Rows.mostJobs, Int(orZero(row, column))))
    }

    fileprivate func orZero(_ row: Int, _ column: Column<Int64>) -> Int64 { optional(row, column) ?? 0 }

    private static let mostJobs = 1 << 53
}
