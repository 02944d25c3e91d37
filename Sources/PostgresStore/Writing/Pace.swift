import QueueCore

/// Decides how long a writer waits for operations to collect before its next batch.
///
/// A commit costs about the same for one operation as for fifty, and the clients that a batch has answered come back
/// within a moment, all together. So after a batch of several operations the writer waits for as many: those of the
/// batch, whose clients are about to come back, and those that came meanwhile. It waits no longer than two commits take,
/// and at most a millisecond. One, two or three clients never wait.
struct Pace {
    /// The number of operations to wait for.
    private(set) var wanted = 1
    /// The longest wait for them.
    private(set) var patience = Span(nanoseconds: 0)
    private var commitTime: Int64 = 0

    private static let fewest = 4
    private static let longest = Span.milliseconds(1)

    /// A batch of `count` operations has committed, and `collected` more have come meanwhile.
    mutating func committed(_ count: Int, in time: Span, collected: Int) {
        // Smoothed: one slow commit must not make the next batches wait.
        commitTime = commitTime == 0 ? time.nanoseconds : (7 * commitTime + time.nanoseconds) / 8
        patience = min(Span(nanoseconds: 2 * commitTime), Pace.longest)
        wanted = count + collected >= Pace.fewest ? count + collected : 1
    }

    /// The wait is over: the next batch takes what has collected.
    mutating func stopWaiting() { wanted = 1 }
}
