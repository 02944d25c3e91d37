import Foundation
import Testing

/// Random histories, checked against a naive model. `QUEUE_SEEDS` says how many of each kind, `QUEUE_SEED` which one.
@Suite("random histories")
struct HistoryTests {
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["QUEUE_SEED"].flatMap(UInt64.init) { return [seed] }
        return Array(1...(environment["QUEUE_SEEDS"].flatMap(UInt64.init) ?? 40))
    }()

    private func run(_ change: (inout History.Options) -> Void) {
        for seed in HistoryTests.seeds {
            var options = History.Options(seed: seed)
            change(&options)
            let history = History(options)
            if let problem = history.run() {
                let last = HistoryTests.seeds.count == 1 ? 10_000 : 40
                Issue.record("seed \(seed): \(problem)\n\(history.transcript(last: last))")
                return
            }
        }
    }

    @Test func aloneWithAnHonestStore() { run { _ in } }
    @Test func withRefusals() { run { $0.hasRefusals = true } }
    @Test func withReconnects() { run { $0.hasReconnects = true } }
    @Test func withOtherBrokers() { run { $0.hasForeign = true } }
    @Test func withDeaths() { run { $0.hasDeaths = true } }

    @Test func withEverything() {
        run {
            $0.hasRefusals = true
            $0.hasReconnects = true
            $0.hasForeign = true
            $0.hasDeaths = true
        }
    }
}
