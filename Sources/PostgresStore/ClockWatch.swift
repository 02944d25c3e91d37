import QueueCore

/// Sees when somebody sets the database's clock, by this process's own, which nobody sets.
struct ClockWatch {
    /// How far ahead the database's clock was, in microseconds: as little and as much as may be.
    private var ahead: ClosedRange<Int64>?

    /// What is less may be a clock that is brought in line, or a slow way.
    private static let step: Int64 = 1_000_000

    /// The database's clock was `clock`, in microseconds, at some time between the two.
    /// - Returns: by how many seconds it was set since the last time, at the least; 0 if it was not.
    mutating func saw(_ clock: Int64, asked: Instant, now: Instant) -> Int64 {
        let found = clock - now.nanoseconds / 1000...clock - asked.nanoseconds / 1000
        defer { ahead = found }
        guard let ahead, !found.overlaps(ahead) else { return 0 }
        let set =
            found.lowerBound > ahead.upperBound
            ? found.lowerBound - ahead.upperBound : found.upperBound - ahead.lowerBound
        return abs(set) < ClockWatch.step ? 0 : set / 1_000_000
    }

    /// From here on it may be another server's.
    mutating func forget() { ahead = nil }
}
