/// When clients reserved a job, by the broker's clock, as far as this broker knows.
public struct Reservations: Sendable {
    /// `never` when no client did.
    public var first = Instant.never
    public var last = Instant.never

    mutating func add(_ now: Instant) {
        if first == .never { first = now }
        last = now
    }
}

/// What is written to the history about a job's end, in addition to its row.
public struct Ending: Sendable {
    /// The client that held the job has deleted it; otherwise no client held it.
    public var isFinished: Bool
    public var counters: JobCounters
    public var reservations: Reservations
}

/// Reservations that are not in their rows yet, oldest first. Some of them may have ended.
struct UnannotatedReservations: Sendable {
    private var entries: [(id: JobID, at: Instant)] = []
    private var head = 0

    var oldest: Instant? { head < entries.count ? entries[head].at : nil }

    mutating func append(_ id: JobID, at: Instant) {
        entries.append((id, at))
    }

    /// Takes the oldest, if it was made no later than `limit`.
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
