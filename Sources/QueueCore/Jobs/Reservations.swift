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

/// Reservations in their order, until each is told to SQL readers or has ended.
struct UnannotatedReservations: Sendable {
    private var entries: [(id: JobID, at: Instant)] = []
    private var head = 0

    var oldest: Instant? { head < entries.count ? entries[head].at : nil }

    mutating func append(_ id: JobID, at: Instant) {
        entries.append((id, at))
    }

    /// Takes the oldest, if it was made before this time.
    mutating func popFirst(before limit: Instant) -> JobID? {
        guard head < entries.count, entries[head].at <= limit else { return nil }
        let id = entries[head].id
        head += 1
        if head > 1024, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return id
    }
}
