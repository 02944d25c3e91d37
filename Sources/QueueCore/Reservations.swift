/// When clients got a job, by the broker's clock, as far as this broker knows.
public struct Reservations: Sendable {
    /// `never` when nobody did.
    public var first = Instant.never
    public var last = Instant.never

    mutating func add(_ now: Instant) {
        if first == .never { first = now }
        last = now
    }
}

/// What history is told of a job's end, beside what its row says.
public struct Ending: Sendable {
    /// Its worker has deleted it; else it was in nobody's hands.
    public var isFinished: Bool
    public var counters: JobCounters
    public var reservations: Reservations
}
