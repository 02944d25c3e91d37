public import QueueCore

/// What the store knows of itself at one moment, for metrics and health.
public struct StoreSnapshot: Sendable {
    /// The version of the schema.
    public var schemaVersion = 0
    /// The broker has a session with the database and renews its epoch in time.
    public var isUp = false
    /// Why it has not, in a sentence; `nil` if it is up.
    public var reason: String?
    /// Seconds since the last heartbeat that has committed was sent; `nil` before the first one.
    public var heartbeatAge: Double?
    /// Other brokers that live.
    public var peers = 0
    /// This broker tells what is of the whole queue: it has the smallest epoch of all that live.
    public var hasDuty = false
    /// Brokers that this one has declared dead since its start.
    public var failovers: UInt64 = 0
    /// Sessions with the database that were made in the place of lost ones since the start.
    public var reconnects: UInt64 = 0
    /// The batches of each kind since the start.
    public var commits: [CommitSnapshot] = []
    /// How long the oldest ready job of each tube has been ready, to about ten seconds.
    public var oldestReady = OldestReadyAges()

    public init() {}

    init(
        keeper: KeeperFacts, connection: Worker.Connecting, now: Instant, oldest: OldestReadyAges,
        commits: [CommitSnapshot], reconnects: UInt64
    ) {
        schemaVersion = Migration.all.last?.version ?? 0
        oldestReady = oldest
        self.commits = commits
        self.reconnects = reconnects
        failovers = keeper.failovers
        peers = keeper.peers
        hasDuty = keeper.hasDuty
        let age = now - keeper.heartbeatSentAt
        if keeper.heartbeatSentAt.nanoseconds > 0 { heartbeatAge = Double(age.nanoseconds) / 1e9 }
        if !connection.isConnected {
            reason = connection.error ?? "no session with the database yet"
        } else if keeper.epoch == 0 {
            reason = "the broker has not been registered yet"
        } else if age > StoreTiming.epochValidity {
            reason = "no heartbeat has committed for \(age.wholeSeconds) s"
        } else {
            isUp = true
        }
    }
}

/// The batches of one kind since the start.
public struct CommitSnapshot: Sendable {
    /// `puts`, `changes` or `large_puts`.
    public var kind: String
    /// How long each took, from when it was taken to when its outcome was known.
    public var seconds = DurationHistogram()
    /// How many operations each had.
    public var operations = OperationHistogram()

    init(kind: WriteKind) {
        self.kind =
            switch kind {
            case .puts: "puts"
            case .changes: "changes"
            case .largePuts: "large_puts"
            }
    }

    mutating func add(_ count: Int, in time: Span) {
        seconds.add(time)
        operations.add(count)
    }
}

/// Counts batches by their numbers of operations.
public struct OperationHistogram: Sendable {
    /// Upper bounds; what is above the last one is in one bucket more.
    public static let bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
    /// How many batches were in each bucket; empty while there was none.
    public var counts: [UInt64] = []
    /// All operations.
    public var sum: UInt64 = 0

    public init() {}

    mutating func add(_ operations: Int) {
        if counts.isEmpty { counts = Array(repeating: 0, count: OperationHistogram.bounds.count + 1) }
        counts[OperationHistogram.bounds.firstIndex { operations <= $0 } ?? OperationHistogram.bounds.count] += 1
        sum += UInt64(operations)
    }
}

/// What the keeper tells of itself.
struct KeeperFacts: Sendable {
    /// 0 while the broker does not serve.
    var epoch: Int64 = 0
    var heartbeatSentAt = Instant(nanoseconds: 0)
    var peers = 0
    var hasDuty = false
    var failovers: UInt64 = 0
}
