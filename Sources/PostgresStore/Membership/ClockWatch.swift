import QueueCore

/// Finds out that the database's clock was set, by comparing it with this process's monotonic clock.
struct ClockWatch {
    /// By how much the database's clock was ahead, in microseconds: at least and at most.
    private var ahead: ClosedRange<Int64>?

    /// A smaller difference may be a clock that is adjusted, or a slow answer.
    private static let step: Int64 = 1_000_000

    /// The database's clock was `clock`, in microseconds, at some time between `asked` and `now`.
    /// - Returns: The seconds by which it was set since the last call, at least; 0 if it was not set.
    mutating func saw(_ clock: Int64, asked: Instant, now: Instant) -> Int64 {
        let found = clock - now.nanoseconds / 1000...clock - asked.nanoseconds / 1000
        defer { ahead = found }
        guard let ahead, !found.overlaps(ahead) else { return 0 }
        let set =
            found.lowerBound > ahead.upperBound
            ? found.lowerBound - ahead.upperBound : found.upperBound - ahead.lowerBound
        return abs(set) < ClockWatch.step ? 0 : set / 1_000_000
    }

    /// From here on it may be the clock of another server.
    mutating func forget() { ahead = nil }
}
