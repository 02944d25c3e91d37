import QueueCore

/// When the next batch is worth its commit.
///
/// A commit costs about the same for one operation as for fifty, and the clients that a batch has answered come back
/// within a moment, all together. So after a batch of several the writer waits until as many operations have
/// collected as there were about: those of the batch, whose clients are about to come back, and those that came
/// meanwhile. It never waits longer than two commits take, nor than a millisecond; a lone client, or two or three,
/// never wait.
struct Pace {
    /// Operations that a batch should have.
    private(set) var wanted = 1
    /// How long the writer waits for them.
    private(set) var patience = Span(nanoseconds: 0)
    private var commitTime: Int64 = 0

    private static let fewest = 4
    private static let longest = Span.milliseconds(1)

    /// A batch of `count` operations has committed, and so many more have collected meanwhile.
    mutating func committed(_ count: Int, in time: Span, collected: Int) {
        // Smoothed: one slow commit must not make the next ones wait.
        commitTime = commitTime == 0 ? time.nanoseconds : (7 * commitTime + time.nanoseconds) / 8
        patience = min(Span(nanoseconds: 2 * commitTime), Pace.longest)
        wanted = count + collected >= Pace.fewest ? count + collected : 1
    }

    /// Whatever has collected is to go.
    mutating func stopWaiting() { wanted = 1 }
}
