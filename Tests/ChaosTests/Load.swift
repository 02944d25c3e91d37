import Foundation
import Synchronization
import TestKit

/// Producers and workers, each on its own thread. They connect again after every lost connection.
final class Load: Sendable {
    /// Producers wait while this many jobs exist, so that the queue does not only grow while faults happen.
    private static let mostJobs = 400

    private let recorder: Recorder
    private let ways: [@Sendable () -> Way?]
    private let seed: UInt64
    private let producers = Crew()
    private let workers = Crew()

    /// - Parameters:
    ///   - ways: The routes, each used by one producer and two workers; nil while the broker is down.
    ///   - seed: Decides what the clients do, but not when.
    ///   - recorder: Records commands and replies.
    init(on ways: [@Sendable () -> Way?], seed: UInt64, _ recorder: Recorder) {
        self.recorder = recorder
        self.ways = ways
        self.seed = seed
    }

    func start() {
        for index in ways.indices {
            run(index, 0, in: producers) { [self] client, random in try produce(client, &random) }
            for number in 1...2 {
                run(index, number, in: workers) { [self] client, random in try work(client, &random) }
            }
        }
    }

    /// Ends the producers and waits for them; the workers continue.
    func stopProducing() {
        producers.stop()
    }

    /// Ends all clients and waits for them.
    func stop() {
        producers.stop()
        workers.stop()
    }

    /// A client that connects again after each lost connection.
    private func run(
        _ index: Int, _ number: Int, in crew: Crew,
        _ session: @escaping @Sendable (Client, inout SplitMix) throws -> Void
    ) {
        crew.add { [self] in
            var random = SplitMix(seed: seed &+ UInt64(index * 100 + number))
            while crew.isWorking {
                if let way = ways[index](), let client = try? Client(way, recorder) {
                    // The end of a connection is no failure: the checker looks at the events before it.
                    try? session(client, &random)
                    client.close()
                }
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    // MARK: Producers

    private func produce(_ client: Client, _ random: inout SplitMix) throws {
        while producers.isWorking {
            try client.use(random.pick(Client.tubes))
            for _ in 0..<20 where producers.isWorking {
                let body = Body(
                    token: recorder.newToken(), ttr: 2 + random.below(5),
                    size: random.weighted([(80, 60), (18, 3000), (2, 60_000)]))
                let delay = random.percent(85) ? 0 : 1 + random.below(2)
                _ = try client.put(body, priority: random.below(8), delay: delay)
                try client.idle(Double(random.below(10)) / 1000)
            }
            while recorder.backlog > Self.mostJobs, producers.isWorking { try client.idle(0.05) }
        }
    }

    // MARK: Workers

    private func work(_ client: Client, _ random: inout SplitMix) throws {
        try client.watchAll()
        while workers.isWorking {
            if random.percent(3) {
                try client.use(random.pick(Client.tubes))
                _ = try client.kick(10)
            }
            guard case .reserved(let id, _) = try client.reserve() else { continue }
            try finish(id, client, &random)
            if random.percent(1) { return }
        }
    }

    /// Does what a worker does with a reserved job.
    private func finish(_ id: UInt64, _ client: Client, _ random: inout SplitMix) throws {
        let isEnding = !producers.isWorking
        let fate = isEnding ? Fate.delete : random.weighted(Fate.weights)
        switch fate {
        case .delete: break
        case .deleteLater: try client.idle(Double(random.below(300)) / 1000)
        case .touch:
            try client.idle(Double(random.below(1000)) / 1000)
            _ = try client.touch(id)
        case .release:
            _ = try client.release(id, priority: random.below(8), delay: random.percent(50) ? 0 : 1)
            return
        case .bury:
            _ = try client.bury(id, priority: random.below(8))
            return
        case .overrun: try client.idle(Double(1 + random.below(4)))
        case .second:
            if case .reserved(let other, _) = try client.reserve() { _ = try client.delete(other) }
        case .disconnect:
            client.close()
            throw CancellationError()
        }
        // A refused command was not done: the job is still held.
        if try client.delete(id) == .refused { _ = try client.delete(id) }
        if random.percent(10) { _ = try client.peek(id) }
    }

    private enum Fate {
        case delete, deleteLater, touch, release, bury, overrun, second, disconnect

        static let weights: [(weight: Int, element: Fate)] = [
            (60, .delete), (10, .deleteLater), (5, .touch), (10, .release), (6, .bury), (2, .overrun), (4, .second),
            (3, .disconnect),
        ]
    }
}

/// Threads that run until they are told to stop.
private final class Crew: Sendable {
    private let isStopped = Atomic(false)
    private let running = Atomic(0)

    var isWorking: Bool { !isStopped.load(ordering: .relaxed) }

    func add(_ body: @escaping @Sendable () -> Void) {
        running.add(1, ordering: .relaxed)
        Thread.detachNewThread { [self] in
            body()
            running.subtract(1, ordering: .releasing)
        }
    }

    /// Tells the threads to stop and waits until all have ended.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        while running.load(ordering: .acquiring) > 0 { Thread.sleep(forTimeInterval: 0.01) }
    }
}
