extension DurationHistogram {
    /// The bounds in nanoseconds.
    private static let limits: [Int64] = bounds.map { Int64($0 * 1e9) }

    /// Counts one. A negative length, which a set clock makes, counts as 0.
    public mutating func add(_ length: Span) {
        let nanoseconds = max(0, length.nanoseconds)
        if counts.isEmpty { counts = Array(repeating: 0, count: DurationHistogram.limits.count + 1) }
        var (low, high) = (0, DurationHistogram.limits.count)
        while low < high {
            let middle = (low + high) / 2
            if nanoseconds <= DurationHistogram.limits[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low] += 1
        sum += Double(nanoseconds) / 1e9
    }

    /// How many were counted.
    public var count: UInt64 { counts.reduce(0, +) }

    /// What was counted between two moments, of which `a` is the later one.
    public static func - (a: DurationHistogram, b: DurationHistogram) -> DurationHistogram {
        guard a.counts != b.counts else { return DurationHistogram() }
        guard !b.counts.isEmpty else { return a }
        var change = a
        for at in change.counts.indices { change.counts[at] -= b.counts[at] }
        change.sum -= b.sum
        return change
    }

    public static func += (a: inout DurationHistogram, b: DurationHistogram) {
        guard !b.counts.isEmpty else { return }
        guard !a.counts.isEmpty else { return a = b }
        for at in a.counts.indices { a.counts[at] += b.counts[at] }
        a.sum += b.sum
    }
}

extension DurationHistogram {
    /// The length of which this part of all is no longer, in seconds: the upper bound of its bucket, or the last bound for
    /// what is longer than that. `nil` if nothing was counted.
    public func percentile(_ part: Double) -> Double? {
        let all = count
        guard all > 0 else { return nil }
        let wanted = UInt64((Double(all) * part).rounded(.up))
        var sum: UInt64 = 0
        for (at, count) in counts.enumerated() {
            sum += count
            if sum >= max(1, wanted) { return DurationHistogram.bounds[min(at, DurationHistogram.bounds.count - 1)] }
        }
        return DurationHistogram.bounds.last
    }
}
