@testable import QueueCore

/// The kind of a schedule, which its seed decides.
struct Profile {
    /// How many brokers there are at the start, and at most.
    var brokers: Int
    var mostBrokers: Int
    var clients: Int
    var tubes: [TubeName]
    /// How many phases of disturbances there are, each followed by calm, and how long a phase is.
    var phases: Int
    var length: Span
    /// Microseconds between two actions of a client.
    var thinking: ClosedRange<Int>
    /// Microseconds that a message takes between client and broker, and between broker and database.
    var network: ClosedRange<Int>
    var database: ClosedRange<Int>
    /// The chances, in permille, that a transaction loses its connection, or is refused.
    var losses: Int
    var refusals: Int
    /// The disturbances and their weights.
    var disturbances: [(weight: Int, kind: Disturbance)]
    var configuration: Queue.Configuration
    /// Whether some puts have keys.
    var usesKeys: Bool
    /// Policies of tubes, which do not change.
    var policies: [(tube: TubeName, policy: TubePolicy)] = []

    enum Disturbance: CaseIterable {
        case crash, freeze, suspension, outage, stall, partition, join, leave, sqlPut, sqlSession, disconnect, halfClose
        case clock
    }

    init(seed: UInt64, _ random: inout SplitMix64) {
        brokers = random.pick([1, 1, 2, 2, 2, 3])
        // Some schedules have one broker to their end: there the order is exact.
        mostBrokers = brokers == 1 && random.percent(50) ? 1 : 3
        clients = random.within(2...6)
        tubes = random.percent(70) ? ["default", "a", "b"] : ["default", "a"]
        phases = seed.isMultiple(of: 4) ? 2 : 1
        length = .milliseconds(random.within(1500...5000))
        thinking = random.pick([1000...60_000, 1000...200_000, 1000...800_000])
        network = random.pick([20...200, 50...5000, 100...80_000])
        database = random.pick([50...400, 100...3000, 1000...60_000, 1000...400_000])
        losses = random.pick([0, 0, 5, 40])
        refusals = random.pick([0, 0, 20])
        disturbances = Disturbance.allCases.map { ($0 == .sqlPut || $0 == .sqlSession ? 3 : 1, $0) }.filter { _ in
            random.percent(45)
        }
        configuration = Queue.Configuration()
        configuration.cacheBytes = random.pick([600, 2000, 1 << 20])
        configuration.maxPendingBytes = random.pick([900, 4000, 1 << 20])
        configuration.maxBatchBytes = random.pick([300, 1 << 20])
        configuration.largeBodyBytes = random.pick([250, 1 << 20])
        configuration.databaseTimeout = random.pick([.seconds(2), .seconds(10)])
        usesKeys = random.percent(40)
        guard random.percent(50) else { return }
        for tube in tubes {
            var policy = TubePolicy(tube: 0)
            if random.percent(50) { policy.buryAfterTimeouts = UInt32(random.within(1...2)) }
            if random.percent(50) { policy.buryAfterReleases = UInt32(random.within(1...3)) }
            if random.percent(30) { policy.maxReady = random.within(1...20) }
            policy.keepsHistory = random.percent(60)
            policies.append((tube, policy))
        }
    }
}
