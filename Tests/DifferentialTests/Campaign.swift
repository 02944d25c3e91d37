import Foundation
import Synchronization
import TestKit

/// Runs the histories of many seeds, several at a time. Each worker has its own servers.
final class Campaign: Sendable {
    struct Settings: Sendable {
        var first: UInt64 = 1
        var seeds = 24
        /// The number of steps of a history.
        var length = 40
        var jobs = 6
        /// The most runs that the shrinking of one difference may take.
        var shrinkingRuns = 60
        var showsProgress = false

        /// True for the run among all tests, false for one of script/differential.
        static var isShort: Bool { ProcessInfo.processInfo.environment["DIFFERENTIAL_SEEDS"] == nil }

        /// The values of the environment (`script/differential`), else small ones for a run of all tests.
        static func fromEnvironment() -> Settings {
            var settings = Settings()
            let environment = ProcessInfo.processInfo.environment
            func number(_ name: String) -> Int? { environment["DIFFERENTIAL_\(name)"].flatMap { Int($0) } }
            if let seeds = number("SEEDS") {
                settings.seeds = seeds
                settings.showsProgress = true
            }
            settings.first = UInt64(number("FIRST") ?? 1)
            settings.length = number("LENGTH") ?? settings.length
            settings.jobs = number("JOBS") ?? settings.jobs
            return settings
        }
    }

    struct Result: Sendable {
        var histories = 0
        var replies = 0
        var inconclusive = 0
        /// Differences that did not occur again.
        var passing = 0
        var differences: [String] = []
        var failures: [String] = []
    }

    private struct State {
        var next: UInt64
        var running: Int
        var result = Result()
    }

    private let settings: Settings
    private let state: Mutex<State>
    private let started = ContinuousClock.now

    init(_ settings: Settings) {
        self.settings = settings
        state = Mutex(State(next: settings.first, running: settings.jobs))
    }

    /// Runs everything on its own threads: blocking code must not run on the pool of the concurrency runtime.
    func run() async -> Result {
        await withCheckedContinuation { continuation in
            for _ in 0..<settings.jobs {
                Thread.detachNewThread {
                    self.work()
                    let isLast = self.state.withLock { state in
                        state.running -= 1
                        return state.running == 0
                    }
                    if isLast { continuation.resume(returning: self.state.withLock { $0.result }) }
                }
            }
        }
    }

    private func work() {
        let worker = Worker(shrinkingRuns: settings.shrinkingRuns)
        while let seed = nextSeed() {
            do {
                var generator = Generator(seed: seed, length: settings.length)
                let report = try worker.examine(generator.history(), seed: seed)
                state.withLock { $0.result.add(report) }
                if let text = report.difference ?? report.passing { print(text) }
            } catch {
                worker.dropServers()
                state.withLock { $0.result.failures.append("seed \(seed): \(error)") }
                print("seed \(seed): \(error)")
            }
            showProgress()
        }
    }

    private func nextSeed() -> UInt64? {
        state.withLock { state in
            guard state.next < settings.first + UInt64(settings.seeds) else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func showProgress() {
        guard settings.showsProgress else { return }
        let result = state.withLock { $0.result }
        let done = result.histories + result.failures.count
        guard done % 20 == 0 || done == settings.seeds else { return }
        let seconds = Int((ContinuousClock.now - started) / .seconds(1))
        // Not by stdio, which buffers what goes to a pipe until the end.
        let line = "\(seconds) s: \(done) of \(settings.seeds) seeds, \(result.summary)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
    }
}

extension Campaign.Result {
    mutating func add(_ report: Worker.Report) {
        histories += 1
        replies += report.replies
        if report.isInconclusive { inconclusive += 1 }
        if report.passing != nil { passing += 1 }
        if let difference = report.difference { differences.append(difference) }
    }

    var summary: String {
        "\(replies) replies compared, \(differences.count) differences, \(passing) that did not come again, "
            + "\(inconclusive) inconclusive, \(failures.count) failures"
    }
}
