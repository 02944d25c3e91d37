import LogKeys
public import Logging
public import QueueCore
import Synchronization

/// The database as found at the start, for the first log line.
public struct StoreSummary: Sendable {
    /// A connection string for `psql`, without a password.
    public let database: String
    public let schemaVersion: Int
    /// The server, and the name of the database there.
    public let host: String
    public let name: String

    init(_ connection: Connection, _ configuration: StoreConfiguration) {
        database =
            "host=\(connection.host) port=\(connection.port) user=\(connection.user) dbname=\(connection.database)"
        schemaVersion = Migration.all.last?.version ?? 0
        host = connection.host
        name = connection.database
    }
}

/// Keeps jobs in PostgreSQL. Five threads have a connection each, and a sixth has one while large bodies come: a writer
/// of puts and a writer of changes, so that the commit of one overlaps the work of the other, a writer of large bodies, the
/// query runner, the keeper and the notifier (docs/ARCHITECTURE.md, Threads).
public final class Store: Sendable {
    private let puts: Writer
    private let changes: Writer
    /// The first large body starts it.
    private let largePuts: Writer
    private let queries: QueryRunner
    private let keeper: Keeper
    private let notifier: Notifier
    private let started: AsyncStream<Swift.Result<StoreSummary, any Error>>
    private let patience: Double
    private let logger: Logger

    /// `client` has to outlive the store.
    public init(configuration: StoreConfiguration, client: any StoreClient, logger: Logger) {
        let (started, continuation) = AsyncStream<Swift.Result<StoreSummary, any Error>>.makeStream()
        StoreTiming.check()
        self.started = started
        patience = configuration.startTimeout
        self.logger = logger
        let server = CurrentServer()
        let puts = Writer(.puts, configuration, server, client, logger)
        let changes = Writer(.changes, configuration, server, client, logger)
        let largePuts = Writer(.largePuts, configuration, server, client, logger)
        self.puts = puts
        self.changes = changes
        self.largePuts = largePuts
        queries = QueryRunner(configuration, server, client, logger)
        notifier = Notifier(configuration, server, client, logger)
        keeper = Keeper(
            configuration, client, server,
            writers: [puts.number, changes.number, largePuts.number, QueryRunner.number], logger
        ) { result in
            continuation.yield(result)
            continuation.finish()
        }
    }

    /// Migrates or checks the schema, registers the broker and starts the threads. Returns when all sessions are connected,
    /// or after `startTimeout` with a warning in the log for each that is not.
    /// - Throws: `StoreError` if the database cannot be reached in time or its schema cannot be served.
    public func start() async throws -> StoreSummary {
        keeper.start()
        for await result in started {
            let summary = try result.get()
            puts.start()
            changes.start()
            queries.start()
            notifier.start()
            await waitForSessions()
            return summary
        }
        throw StoreError.lost("stopped")
    }

    /// The server may accept the keeper and refuse the others as too many.
    private func waitForSessions() async {
        let limit = ContinuousClock.now + .seconds(patience)
        let workers: [Worker] = [puts, changes, queries, notifier]
        while workers.contains(where: { !$0.connectionState.isDone }), ContinuousClock.now < limit {
            guard (try? await Task.sleep(for: .milliseconds(2))) != nil else { return }
        }
        for worker in workers {
            let first = worker.connectionState
            guard !first.isDone else { continue }
            logger.warning(
                """
                a session with the database is missing, and what it is for fails until it is there: a broker needs \
                \(workers.count + 1) (the role's connection limit, max_connections, a pooler's pool_size)
                """,
                metadata: [LogKey.task: "\(worker.name)", LogKey.error: "\(first.error ?? "no answer yet")"])
        }
    }

    /// What the store knows of itself. Takes some short locks and asks nobody.
    public func snapshot() -> StoreSnapshot {
        let workers: [Worker] = [puts, changes, largePuts, queries, keeper, notifier]
        return StoreSnapshot(
            keeper: keeper.facts, connection: keeper.connectionState, now: keeper.client.now(),
            oldest: keeper.oldest.ages(at: keeper.client.now()), commits: [puts, changes, largePuts].map(\.commits),
            reconnects: workers.reduce(0) { $0 + $1.connectionState.reconnects })
    }

    /// Tells the threads that there is something for them. It is enough to say so once.
    public func wake(for work: Effects.Work) {
        if work.contains(.puts) { puts.bell.ring() }
        if work.contains(.changes) { changes.bell.ring() }
        if work.contains(.largePuts) {
            largePuts.start()
            largePuts.bell.ring()
        }
        if work.contains(.queries) { queries.bell.ring() }
        if work.contains(.ids) { keeper.bell.ring() }
        if work.contains(.notices) { notifier.bell.ring() }
    }

    /// Ends the threads, the writers after their last batches. The broker's row, and with it its leases, goes last.
    /// Blocks up to `seconds`. The last quarter of that is for the row.
    public func stop(within seconds: Double) {
        let start = ContinuousClock.now
        func left(of seconds: Double) -> Double { max(0, seconds - (ContinuousClock.now - start) / .seconds(1)) }
        let others = [notifier, puts, changes, largePuts, queries].map { $0.stop(within: left(of: seconds * 3 / 4)) }
        // With a batch under way the epoch must stay: other brokers will declare it dead.
        if others.allSatisfy(\.self) { _ = keeper.stop(within: left(of: seconds)) }
    }
}
