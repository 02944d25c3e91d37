import Foundation

/// The times at which the rounds of a history begin. Time passes between the rounds.
///
/// Deadlines, timeouts, and the ends of delays and pauses come whole seconds after a command. Rounds begin at different
/// fractions of a second and end within a window, so that no such event, and no second of an age, is near a command of
/// another round. A history that overruns a window proves nothing and is run again.
struct Clock {
    /// The most rounds with enough room between them.
    static let maxRounds = 3

    private let fraction: Double
    private let window: Double
    /// The beginning of each round.
    private var starts: [ContinuousClock.Instant] = [.now]

    init(rounds: Int) {
        fraction = 1 / Double(rounds)
        window = [0.85, 0.38, 0.22][min(rounds, Clock.maxRounds) - 1]
    }

    /// True if the round is still within its window.
    var isInWindow: Bool {
        ContinuousClock.now - starts[starts.count - 1] < .seconds(window)
    }

    /// Sleeps until the next round begins, and calls `body` whenever events may have happened.
    mutating func pass(seconds: Int, afterEvents: () -> Void) {
        let next = starts[starts.count - 1] + .seconds(Double(seconds) + fraction)
        let times = starts.flatMap { start in (1...20).map { start + .seconds(Double($0) + window + 0.02) } }
        for time in times.sorted() where time > .now && time < next - .milliseconds(30) {
            Self.sleep(until: time)
            afterEvents()
        }
        Self.sleep(until: next)
        starts.append(next)
    }

    private static func sleep(until time: ContinuousClock.Instant) {
        let left = time - .now
        if left > .zero { Thread.sleep(forTimeInterval: left / .seconds(1)) }
    }
}
