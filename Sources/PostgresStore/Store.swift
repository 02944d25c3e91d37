import LogKeys
public import Logging
public import QueueCore
import Synchronization

/// What was found at the start, for the first log line.
public struct StoreSummary: Sendable {
    /// A connection string for `psql`, without a password.
    public let database: String
    public let schemaVersion: Int

    init(_ connection: Connection, _ configuration: StoreConfiguration) {
        database =
            "host=\(connection.host) port=\(connection.port) user=\(connection.user) dbname=\(connection.database)"
        schemaVersion = Migration.all.last?.version ?? 0
    }
}

/// Jobs in PostgreSQL: five threads, each with a connection, and a sixth while large bodies come. One writer commits puts
/// and another one changes, so that the commit of one overlaps the work of the other; the reader answers queries, the keeper keeps the epoch, the
/// notifier talks to other brokers.
public final class Store: Sendable {
    private let puts: Writer
    private let changes: Writer
    /// Started by the first large body.
    private let largePuts: Writer
    private let reader: Reader
    private let keeper: Keeper
    private let notifier: Notifier
    private let started: AsyncStream<Swift.Result<StoreSummary, any Error>>
    private let patience: Double
    private let logger: Logger

    /// The client has to outlive the store.
    public init(configuration: StoreConfiguration, client: any StoreClient, logger: Logger) {
        let (started, continuation) = AsyncStream<Swift.Result<StoreSummary, any Error>>.makeStream()
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
        reader = Reader(configuration, server, client, logger)
        notifier = Notifier(configuration, server, client, logger)
        keeper = Keeper(
            configuration, client, server,
            writers: [puts.number, changes.number, largePuts.number, Reader.number], logger
        ) { result in
            continuation.yield(result)
            continuation.finish()
        }
    }

    /// Brings the schema up, registers the broker, and starts to work. Returns when all sessions are there; after the
    /// time for a start it logs a warning for each that is not, and returns too.
    /// - Throws: `StoreError` when the database cannot be reached in time, or its schema cannot be served.
    public func start() async throws -> StoreSummary {
        keeper.start()
        for await result in started {
            let summary = try result.get()
            puts.start()
            changes.start()
            reader.start()
            notifier.start()
            await waitForSessions()
            return summary
        }
        throw StoreError.lost("stopped")
    }

    /// The server may have let the keeper in and refuse the others, as too many.
    private func waitForSessions() async {
        let limit = ContinuousClock.now + .seconds(patience)
        let workers: [Worker] = [puts, changes, reader, notifier]
        while workers.contains(where: { !$0.firstConnection.isDone }), ContinuousClock.now < limit {
            guard (try? await Task.sleep(for: .milliseconds(2))) != nil else { return }
        }
        for worker in workers {
            let first = worker.firstConnection
            guard !first.isDone else { continue }
            logger.warning(
                """
                a session with the database is missing, and what it is for fails until it is there: a broker needs \
                \(workers.count + 1) (the role's connection limit, max_connections, a pooler's pool_size)
                """,
                metadata: [LogKey.task: "\(worker.name)", LogKey.error: "\(first.error ?? "no answer yet")"])
        }
    }

    /// There are writes of this kind to take.
    public func wakeWriter(_ kind: WriteKind) {
        switch kind {
        case .puts: puts.bell.ring()
        case .changes: changes.bell.ring()
        case .largePuts:
            largePuts.start()
            largePuts.bell.ring()
        }
    }
    /// There are queries to take.
    public func wakeReader() { reader.bell.ring() }
    /// Ids are wanted.
    public func wakeKeeper() { keeper.bell.ring() }
    /// There are notices to take.
    public func wakeNotifier() { notifier.bell.ring() }

    /// Ends the threads, the writers after their last batches; the broker's row goes last, and with it its leases.
    /// Blocks up to `seconds`, of which the last quarter is the row's.
    public func stop(within seconds: Double) {
        let start = ContinuousClock.now
        func left(of seconds: Double) -> Double { max(0, seconds - (ContinuousClock.now - start) / .seconds(1)) }
        let others = [notifier, puts, changes, largePuts, reader].map { $0.stop(within: left(of: seconds * 3 / 4)) }
        // With a batch under way the epoch must stay: its death is for others to declare.
        if others.allSatisfy(\.self) { _ = keeper.stop(within: left(of: seconds)) }
    }
}
