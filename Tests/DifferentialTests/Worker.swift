/// Examines one history after the other on a pair of servers, which is replaced if a history leaves it unusable.
final class Worker {
    struct Report: Sendable {
        var replies = 0
        var isInconclusive = false
        /// A difference that did not occur again: the end of its transcript.
        var passing: String?
        /// The shortest history with the difference, as text.
        var difference: String?
    }

    private let shrinkingRuns: Int
    private var pair: Pair?

    init(shrinkingRuns: Int) {
        self.shrinkingRuns = shrinkingRuns
    }

    func dropServers() {
        pair = nil
    }

    /// Runs a history. A difference counts if it occurs repeatedly: beanstalkd 1.12 sometimes forgets a client whose
    /// reservation runs out exactly on a tick.
    func examine(_ history: History, seed: UInt64) throws -> Report {
        var report = Report()
        let first: Difference
        switch try run(history) {
        case .same(let replies):
            report.replies = replies
            return report
        case .inconclusive:
            report.isInconclusive = true
            return report
        case .different(let difference):
            report.replies = difference.replies
            first = difference
        }
        guard let again = try confirm(history, first) else {
            report.passing = "seed \(seed), did not come again:\n" + first.transcript.suffix(8).joined(separator: "\n")
            return report
        }
        var shrinker = Shrinker(runs: shrinkingRuns) { [self] history in
            if case .different(let difference) = try run(history) { difference } else { nil }
        }
        let (_, shortest) = try shrinker.shrink(history, again)
        report.difference = "DIFFERENCE, seed \(seed)\n" + shortest.transcript.joined(separator: "\n")
        return report
    }

    private func confirm(_ history: History, _ first: Difference) throws -> Difference? {
        var last: Difference?
        // A difference that depends on time may come from a forgotten expiry.
        for _ in 0..<(history.pauses > 0 ? 5 : 2) {
            guard case .different(let again) = try run(history), again.kind == first.kind else { return nil }
            last = again
        }
        return last
    }

    /// Runs a history, repeatedly if that proves nothing.
    func run(_ history: History, avoids: Bool = true) throws -> Outcome {
        var outcome = Outcome.inconclusive("not run")
        var predicts = true
        for _ in 0..<6 {
            let pair = try pair ?? Pair()
            var runner = Runner(pair, predicts: predicts, avoids: avoids)
            outcome = try runner.run(history)
            let isReusable = try !history.drains && !runner.hasUnfinished && pair.end()
            self.pair = isReusable ? pair : nil
            guard case .inconclusive(let reason) = outcome else { break }
            if reason != "too slow" { predicts = false }
        }
        return outcome
    }
}
