/// Decides which job is put next, and when.
///
/// With a rate each put has a planned time, independent of the puts before it, and is measured from that time. So a
/// server that stalls is charged for the puts that it delays (no coordinated omission).
struct Schedule {
    /// The number of jobs handed out so far, which is the number of the next one.
    private(set) var sent = 0
    private var jobs: Int
    private let start: Nanoseconds
    /// Nanoseconds from one put to the next.
    private let interval: Double?

    /// `rate` is in puts per second; `nil`: each put is due at once.
    init(jobs: Int, rate: Double?, start: Nanoseconds) {
        self.jobs = jobs
        self.start = start
        interval = rate.map { 1e9 / $0 }
    }

    /// The next job, and the time that it is measured from; `nil` when none is due.
    mutating func next(at now: Nanoseconds) -> (sequence: Int, time: Nanoseconds)? {
        guard sent < jobs else { return nil }
        let time = nextTime ?? now
        guard time <= now else { return nil }
        defer { sent += 1 }
        return (sent, time)
    }

    /// The planned time of the next put; `nil` without a rate, and after the last job.
    var nextTime: Nanoseconds? {
        guard let interval, sent < jobs else { return nil }
        return start + Nanoseconds(Double(sent) * interval)
    }

    /// Hands out no more jobs.
    mutating func close() {
        jobs = sent
    }
}
