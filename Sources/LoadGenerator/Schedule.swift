/// Which job is put next, and when.
///
/// With a rate each put has its planned time, whatever became of those before it, and is measured from then: a server
/// that stalls must not be spared the puts that it has kept from being sent.
struct Schedule {
    /// Jobs handed out so far, and the number of the next one.
    private(set) var sent = 0
    private var jobs: Int
    private let start: Nanoseconds
    /// Nanoseconds from one put to the next.
    private let interval: Double?

    /// `rate`: puts per second; without it, each is due at once.
    init(jobs: Int, rate: Double?, start: Nanoseconds) {
        self.jobs = jobs
        self.start = start
        interval = rate.map { 1e9 / $0 }
    }

    /// The next job and the time that it counts from, unless none is due.
    mutating func next(at now: Nanoseconds) -> (sequence: Int, time: Nanoseconds)? {
        guard sent < jobs else { return nil }
        let time = nextTime ?? now
        guard time <= now else { return nil }
        defer { sent += 1 }
        return (sent, time)
    }

    /// When the next put is due; `nil` without a rate, and when there is none.
    var nextTime: Nanoseconds? {
        guard let interval, sent < jobs else { return nil }
        return start + Nanoseconds(Double(sent) * interval)
    }

    /// Hands out no more.
    mutating func close() {
        jobs = sent
    }
}
