import Synchronization

/// Many schedules on all cores.
package struct Campaign: Sendable {
    /// A schedule in which an invariant was broken.
    package struct Failure: Sendable {
        package let seed: UInt64
        package let violation: Violation
    }

    package struct Report: Sendable {
        package var schedules = 0
        /// How many events there were in them.
        package var events = 0
        /// The failure with the smallest seed of those that were found.
        package var failure: Failure?
        var coverage = Coverage()

        /// How often each landmark was reached.
        package var landmarks: [(name: String, count: Int)] {
            Landmark.allCases.map { ("\($0)", coverage[$0]) }
        }

        fileprivate static func += (a: inout Report, b: Report) {
            a.schedules += b.schedules
            a.events += b.events
            a.coverage += b.coverage
            a.failure = [a.failure, b.failure].compactMap { $0 }.min { $0.seed < $1.seed }
        }
    }

    private let seeds: Range<UInt64>
    private let mistake: Mistake?
    private let workers: Int

    package init(seeds: Range<UInt64>, mistake: Mistake? = nil, workers: Int) {
        self.seeds = seeds
        self.mistake = mistake
        self.workers = workers
    }

    /// How many seeds a worker takes at a time.
    private static let chunk: UInt64 = 50

    /// Runs all seeds, or as many as it takes to find a failure. `progress` is called now and then with what has been
    /// done.
    package func run(progress: @escaping @Sendable (Report) -> Void = { _ in }) async -> Report {
        let shared = Shared(first: seeds.lowerBound)
        return await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers { group.addTask { work(shared, progress) } }
            await group.waitForAll()
            return shared.report.withLock { $0 }
        }
    }

    private final class Shared: Sendable {
        let next: Atomic<UInt64>
        let hasFailed = Atomic(false)
        let report = Mutex(Report())

        init(first: UInt64) { next = Atomic(first) }
    }

    private func work(_ shared: Shared, _ progress: (Report) -> Void) {
        while !shared.hasFailed.load(ordering: .relaxed) {
            let first = shared.next.add(Campaign.chunk, ordering: .relaxed).oldValue
            guard first < seeds.upperBound else { return }
            var done = Report()
            for seed in first..<min(first + Campaign.chunk, seeds.upperBound) where done.failure == nil {
                done += Campaign.run(seed, mistake)
            }
            if done.failure != nil { shared.hasFailed.store(true, ordering: .relaxed) }
            progress(
                shared.report.withLock {
                    $0 += done
                    return $0
                })
        }
    }

    private static func run(_ seed: UInt64, _ mistake: Mistake?) -> Report {
        let simulation = Simulation(seed: seed, mistake: mistake)
        defer { simulation.end() }
        var report = Report(schedules: 1)
        if let violation = simulation.run() { report.failure = Failure(seed: seed, violation: violation) }
        report.events = simulation.eventCount
        report.coverage = simulation.coverage
        return report
    }

    /// The transcript of one schedule.
    package static func transcript(of seed: UInt64, mistake: Mistake? = nil) -> [String] {
        let simulation = Simulation(seed: seed, mistake: mistake, keepsTranscript: true)
        defer { simulation.end() }
        _ = simulation.run()
        return simulation.transcript.lines
    }
}
