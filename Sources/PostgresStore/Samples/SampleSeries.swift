public import QueueCore

/// How far back a chart goes.
public enum SampleWindow: String, Sendable, CaseIterable {
    case tenMinutes = "10m"
    case day = "1d"
    case month = "30d"

    /// Seconds between two points.
    public var step: Int {
        switch self {
        case .tenMinutes: 10
        case .day: 300
        case .month: 3600
        }
    }

    /// How many points there are.
    public var points: Int {
        switch self {
        case .tenMinutes: 60
        case .day: 288
        case .month: 720
        }
    }

    /// Seconds between two samples that points are made of.
    var sampleStep: Int { self == .tenMinutes ? 10 : 300 }
}

/// Samples of a tube, or of the whole queue, over time.
public struct SampleSeries: Sendable {
    /// Seconds between two points. A point stands for the seconds that begin at its time.
    public var step: Int
    /// The time of the first point in seconds since 1970.
    public var start: Int
    /// `nil` where nothing is known: no broker was there.
    public var points: [SamplePoint?]
}

/// One step of a series.
public struct SamplePoint: Sendable {
    /// At the end of the step.
    public var jobs = JobCounts()
    /// At the end of the step; `nil` if no job was ready, or if it is not known.
    public var oldestReadySeconds: Double?
    public var puts = 0
    public var deletes = 0
    public var timeouts = 0
    public var releases = 0
    public var buries = 0
    public var waited = DurationHistogram()
    public var worked = DurationHistogram()

    mutating func add(_ sample: StoredSample) {
        puts += sample.puts
        deletes += sample.deletes
        timeouts += sample.timeouts
        releases += sample.releases
        buries += sample.buries
        waited += sample.waited
        worked += sample.worked
    }
}

/// A row of samples as it was read.
struct StoredSample {
    /// Seconds since 1970.
    let at: Int
    let puts: Int
    let deletes: Int
    let timeouts: Int
    let releases: Int
    let buries: Int
    let level: Sample.Level?
    let waited: DurationHistogram
    let worked: DurationHistogram

    init(_ rows: Rows, _ row: Int, _ column: SampleColumns) {
        at = Int(rows[row, column.at] / 1_000_000)
        puts = Int(rows[row, column.puts])
        deletes = Int(rows[row, column.deletes])
        timeouts = Int(rows[row, column.timeouts])
        releases = Int(rows[row, column.releases])
        buries = Int(rows[row, column.buries])
        level = Sample.Level(rows, row, column.level)
        waited = DurationHistogram(literal: rows.optional(row, column.waited))
        worked = DurationHistogram(literal: rows.optional(row, column.worked))
    }
}

extension DurationHistogram {
    /// From an array of PostgreSQL. The sum of the lengths is not stored.
    init(literal: String?) {
        self.init()
        guard let literal, literal.utf8.count > 2 else { return }
        counts = Array(repeating: 0, count: DurationHistogram.bounds.count + 1)
        let found = literal.dropFirst().dropLast().utf8.split(separator: UInt8(ascii: ","))
        for (at, number) in found.enumerated() where at < counts.count {
            counts[at] = UInt64(Substring(number)) ?? 0
        }
    }
}
