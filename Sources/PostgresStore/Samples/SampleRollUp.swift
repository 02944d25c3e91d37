import QueueCore

/// Adds up the samples of 5 minutes that are over, a few rows at a time: a statement that adds up all of them takes seconds
/// with a thousand busy tubes, and the keeper has none to spare.
struct SampleRollUp {
    /// The rows that one statement reads, and those that one writes.
    private static let readAtOnce = 500
    private static let writtenAtOnce = 250
    /// Microseconds.
    private static let step: Int64 = 10_000_000
    private static let stepsOfSum: Int64 = 30

    private var state = State.unknown
    private var sums: [String: Sample] = [:]

    private enum State {
        case unknown
        /// The step that is read next, of the sum that begins at the other time, from this tube on.
        case reading(sum: Int64, step: Int64, from: String)
        case writing(sum: Int64, ArraySlice<Sample>)
    }

    /// Does a part of the work.
    /// - Returns: False if there is nothing to be added up now.
    mutating func look(_ connection: Connection) throws -> Bool {
        let current = state
        // Whatever fails begins again.
        state = .unknown
        switch current {
        case .unknown:
            sums = [:]
            let rows = try connection.execute(.nextSum)
            guard rows.count > 0 else { return false }
            let sum = rows.value(Int64.self)
            state = .reading(sum: sum, step: sum, from: "")
        case .reading(let sum, let step, let from): try read(sum, step, from, connection)
        case .writing(let sum, let samples):
            let part = Array(samples.prefix(SampleRollUp.writtenAtOnce))
            try connection.inTransaction(Statement.samplesNeedNoDisk) {
                _ = try connection.execute(.writeSums, part.parameters(step: sum))
            }
            let left = samples.dropFirst(SampleRollUp.writtenAtOnce)
            state = left.isEmpty ? .unknown : .writing(sum: sum, left)
        }
        return true
    }

    private mutating func read(_ sum: Int64, _ step: Int64, _ from: String, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(step)
        parameters.add(from)
        parameters.add(Int64(SampleRollUp.readAtOnce))
        let rows = try connection.execute(.samplesOfStep, parameters)
        let column = rows.columns(StepColumns.self)
        var last = ""
        for row in rows.indices {
            let sample = Sample(rows, row, column)
            sums[sample.tube, default: Sample(tube: sample.tube)].add(sample)
            last = sample.tube
        }
        if rows.count == SampleRollUp.readAtOnce {
            // The next name in the order of bytes: no name has this character.
            state = .reading(sum: sum, step: step, from: last + "\u{1}")
        } else if step + SampleRollUp.step < sum + SampleRollUp.stepsOfSum * SampleRollUp.step {
            state = .reading(sum: sum, step: step + SampleRollUp.step, from: "")
        } else {
            state = .writing(sum: sum, sums.values.inOrder[...])
            sums = [:]
        }
    }
}

extension Sample {
    fileprivate mutating func add(_ other: Sample) {
        if let activity = other.activity { self.activity = (self.activity ?? TubeActivity()) + activity }
        if let level = other.level { self.level = level }
    }

    fileprivate init(_ rows: Rows, _ row: Int, _ column: StepColumns) {
        tube = rows[row, column.tube]
        func count(_ column: Column<Int64>) -> UInt64 { UInt64(clamping: rows[row, column]) }
        var activity = TubeActivity()
        activity.puts = count(column.puts)
        activity.reserves = count(column.reserves)
        activity.deletes = count(column.deletes)
        activity.releases = count(column.releases)
        activity.buries = count(column.buries)
        activity.kicks = count(column.kicks)
        activity.timeouts = count(column.timeouts)
        activity.bodyBytes = count(column.bodyBytes)
        activity.waited = DurationHistogram(literal: rows.optional(row, column.waited))
        activity.worked = DurationHistogram(literal: rows.optional(row, column.worked))
        self.activity = activity
        level = Level(rows, row, column.level)
    }
}

extension TubeActivity {
    fileprivate static func + (a: TubeActivity, b: TubeActivity) -> TubeActivity {
        var sum = a
        sum += b
        return sum
    }
}

/// A row of samples with everything in it.
struct StepColumns: RowColumns {
    let tube: Column<String>
    let puts: Column<Int64>
    let reserves: Column<Int64>
    let deletes: Column<Int64>
    let releases: Column<Int64>
    let buries: Column<Int64>
    let kicks: Column<Int64>
    let timeouts: Column<Int64>
    let bodyBytes: Column<Int64>
    let level: LevelColumns
    let waited: Column<String>
    let worked: Column<String>

    init(_ column: inout ColumnFinder) {
        tube = column("tube")
        puts = column("puts")
        reserves = column("reserves")
        deletes = column("deletes")
        releases = column("releases")
        buries = column("buries")
        kicks = column("kicks")
        timeouts = column("timeouts")
        bodyBytes = column("body_bytes")
        level = LevelColumns(&column)
        waited = column("waited")
        worked = column("worked")
    }
}
