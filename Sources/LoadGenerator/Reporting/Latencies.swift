import Histogram

/// The latencies of a run.
struct Latencies {
    /// From the put, or its planned time, to INSERTED.
    var put = LatencyHistogram()
    /// From the put, or its planned time, to RESERVED.
    var reserved = LatencyHistogram()
    var delete = LatencyHistogram()
    var stats = LatencyHistogram()
    var statsTube = LatencyHistogram()
}

/// Latencies of one kind, with three significant digits.
struct LatencyHistogram {
    /// Up to two hours; no run is longer.
    private var values = Histogram<UInt32>(
        highestTrackableValue: 7_200_000_000_000, numberOfSignificantValueDigits: .three)

    mutating func record(_ latency: Nanoseconds) {
        values.record(latency)
    }

    /// `nil` when nothing was recorded.
    var summary: LatencySummary? {
        guard values.totalCount > 0 else { return nil }
        func milliseconds(_ percent: Double) -> Double { Double(values.valueAtPercentile(percent)) / 1e6 }
        return LatencySummary(
            p50: milliseconds(50), p90: milliseconds(90), p99: milliseconds(99), p999: milliseconds(99.9),
            max: Double(values.max) / 1e6, mean: values.mean / 1e6, count: Int(values.totalCount))
    }
}

/// Statistics of many latencies, in milliseconds.
struct LatencySummary: Sendable, Equatable {
    let p50, p90, p99, p999, max, mean: Double
    let count: Int
}
