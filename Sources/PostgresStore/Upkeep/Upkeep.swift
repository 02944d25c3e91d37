import LogKeys
import Logging
import QueueCore

/// What the keeper does beside keeping the broker alive: it adds up what the writers have done, publishes what clients
/// hold, removes unused tubes, has the days of history and samples made and dropped, writes samples and logs warnings.
struct Upkeep {
    private static let interval = Span.milliseconds(500)

    private unowned let client: any StoreClient
    private let server: CurrentServer
    private let writers: [Int16]
    private let logger: Logger

    private var nextCounts = Instant(nanoseconds: 0)
    /// The first batch of each writer that has not been folded.
    private var folded: [Int16: Int64] = [:]
    /// The last batches that have been folded though their rows stay.
    private var emptied: [Int16: Int64] = [:]
    private var held = HeldCounts()
    private var removal = TubeRemoval()
    private var warnings: WarningWatch
    private var history: PartitionMaintenance
    private var partitions: PartitionMaintenance
    private var sampler: Sampler
    private var failures: FailureLog

    /// `writers`: their numbers in the ledger.
    init(
        _ client: any StoreClient, _ server: CurrentServer, _ oldest: OldestReady, writers: [Int16], _ logger: Logger
    ) {
        self.client = client
        self.server = server
        self.writers = writers
        self.logger = logger
        warnings = WarningWatch(logger)
        history = PartitionMaintenance(.keepHistory, "the days of history", logger)
        partitions = PartitionMaintenance(.keepSamples, "the days of samples", logger)
        sampler = Sampler(client, oldest, logger)
        failures = FailureLog(logger)
    }

    /// A new epoch begins: nothing of it has been folded or published.
    mutating func reset() {
        folded = [:]
        emptied = [:]
        held = HeldCounts()
        removal = TubeRemoval()
        sampler.reset()
    }

    /// Does what is due. `isOldest`: this broker does what one has to do for all. `isAlone`: there is no other.
    mutating func run(
        _ connection: Connection, epoch: Int64, isOldest: Bool, isAlone: Bool, at now: Instant
    ) throws {
        if nextCounts <= now {
            nextCounts = now + Upkeep.interval
            try connection.unlessLocked(logger) {
                try failures.attempt("tell other brokers what clients hold") {
                    try held.publish(client.takeHeldCounts(), epoch: epoch, at: client.now(), connection)
                }
                try fold(connection, epoch)
            }
            try warnings.look(connection, at: client.now())
        }
        if isOldest {
            try connection.unlessLocked(logger) { try removal.look(epoch: epoch, client, connection) }
        }
        try history.look(connection, at: now)
        try partitions.look(connection, at: now)
        try sampler.look(connection, hasDuty: isOldest, isAlone: isAlone)
    }

    /// When something is due next.
    func next(isOldest: Bool) -> Instant {
        min(isOldest ? min(nextCounts, removal.next) : nextCounts, sampler.next)
    }

    /// The broker leaves: folds everything, and deletes what it has published.
    mutating func finish(_ connection: Connection, epoch: Int64) throws {
        try fold(connection, epoch, keepingLast: false)
        var own = Parameters()
        own.add(int8s: [epoch])
        _ = try connection.execute(.deletePublished, own)
    }

    /// `keepingLast`: the outcome of each writer's last batch may still be asked for.
    private mutating func fold(_ connection: Connection, _ epoch: Int64, keepingLast: Bool = true) throws {
        for writer in writers {
            let last = server.lastCommitted(by: writer) + (keepingLast ? 0 : 1)
            let first = folded[writer] ?? 0
            var parameters = Parameters()
            parameters.add(epoch)
            parameters.add(writer)
            parameters.add(first)
            try failures.attempt("add up what writer \(writer) has done") {
                if last > first {
                    parameters.add(last)
                    _ = try connection.execute(.fold, parameters)
                    folded[writer] = last
                } else if emptied[writer] ?? 0 < last {
                    _ = try connection.execute(.foldLast, parameters)
                    emptied[writer] = last
                }
            }
        }
    }
}
