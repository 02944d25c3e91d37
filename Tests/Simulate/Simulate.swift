import Foundation
import Simulation
import Synchronization

/// Runs schedules of the deterministic simulation (see script/simulate).
@main
struct Simulate {
    static let workers = ProcessInfo.processInfo.activeProcessorCount
    /// How many of the last lines of a failed schedule's transcript are printed.
    static let tail = 60
    /// Within how many seeds each planted mistake must be found.
    static let canaryLimit: UInt64 = 60_000

    static func main() async {
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            say(Options.usage)
            exit(2)
        }
        if let seed = options.seed {
            for line in Campaign.transcript(of: seed, mistake: options.mistake) { print(line) }
        } else if options.isCanary {
            exit(await findMistakes(options.mistake.map { [$0] } ?? Mistake.allCases, first: options.first) ? 0 : 1)
        } else {
            exit(await simulate(options) ? 0 : 1)
        }
    }

    static func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    /// - Returns: whether there was no violation and every landmark was reached.
    private static func simulate(_ options: Options) async -> Bool {
        let clock = ContinuousClock()
        let start = clock.now
        let said = Mutex(start)
        let seeds = options.first..<options.first + options.seeds
        let report = await Campaign(seeds: seeds, mistake: options.mistake, workers: workers).run { report in
            said.withLock {
                guard clock.now - $0 > .seconds(5) else { return }
                $0 = clock.now
                say("simulate: \(report.schedules) of \(options.seeds) schedules, \(report.events) events")
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        if let failure = report.failure { tell(failure, options.mistake) }
        print(report.landmarks.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
        print(
            "simulate: \(report.schedules) schedules, \(report.events) events, "
                + "\(String(format: "%.1f", seconds)) seconds, \(report.failure == nil ? 0 : 1) violations")
        return report.failure == nil && hasReachedAll(report)
    }

    /// With fewer schedules not every landmark has to be reached.
    private static let enough = 20_000

    private static func hasReachedAll(_ report: Campaign.Report) -> Bool {
        let missed = report.landmarks.filter { $0.count == 0 }.map(\.name)
        if missed.isEmpty || report.schedules < enough { return true }
        say("simulate: never reached: \(missed.joined(separator: ", "))")
        return false
    }

    private static func tell(_ failure: Campaign.Failure, _ mistake: Mistake?) {
        for line in Campaign.transcript(of: failure.seed, mistake: mistake).suffix(tail) { print(line) }
        let planted = mistake.map { " --mistake \($0)" } ?? ""
        print("seed \(failure.seed), invariant \(failure.violation.invariant): \(failure.violation.what)")
        print("repeat it: script/simulate --seed \(failure.seed)\(planted)")
    }

    /// - Returns: whether each of them was found.
    private static func findMistakes(_ mistakes: [Mistake], first: UInt64) async -> Bool {
        var isFound = true
        for mistake in mistakes {
            let seeds = first..<first + canaryLimit
            let report = await Campaign(seeds: seeds, mistake: mistake, workers: workers).run()
            if let failure = report.failure {
                print(
                    "canary \(mistake): found after \(report.schedules) schedules, seed \(failure.seed), "
                        + "invariant \(failure.violation.invariant): \(failure.violation.what)")
            } else {
                print("canary \(mistake): NOT FOUND in \(report.schedules) schedules")
                isFound = false
            }
        }
        return isFound
    }
}
