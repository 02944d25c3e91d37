import LogKeys
import Logging
import QueueCore
import Synchronization

/// Registers the broker, keeps its epoch alive by heartbeats, declares other brokers dead, fetches ids and does the
/// upkeep: everything that is not on the way of a job (docs/ARCHITECTURE.md, Leases and epochs).
///
/// This file has the loop. `Keeper+Registration` and `Keeper+Heartbeat` have what it does for the epoch, `PeerMonitor`
/// the watch over other brokers, `Upkeep` the rest.
final class Keeper: Worker, @unchecked Sendable {
    /// A broker that waits for the sole one looks again after this.
    private static let joinInterval = Span.milliseconds(20)
    /// After this many seconds without an answer another server is looked for. A commit that waits for its standby does
    /// not answer either.
    private static let patience = 10

    unowned let client: any StoreClient
    private let server: CurrentServer
    private let writers: [Int16]
    private var choice: ServerChoice
    private let registered: (Swift.Result<StoreSummary, any Error>) -> Void
    private let startLimit: Instant
    private var hasStarted = false
    /// The log has said that the schema is gone.
    private var hasReportedMissingSchema = false

    /// 0 while the broker has none.
    var epoch: Int64 = 0
    var isSole = false
    /// Registered, but another broker is still the sole one.
    var isJoining = false
    /// When the last heartbeat that committed, or the registration, was sent.
    var heartbeatSentAt = Instant(nanoseconds: 0)
    /// The number of the last heartbeat that has committed.
    var beats: Int64 = 0
    var nextHeartbeat = Instant(nanoseconds: 0)
    var monitor = PeerMonitor()
    /// The epochs of the other brokers that live.
    var peers: Set<Int64> = []
    /// The tubes and policies that the broker has learnt; `nil` if it is to learn all.
    var known: TubeChanges?
    var clock = ClockWatch()
    lazy var upkeep = Upkeep(client, server, oldest, writers: writers, logger)
    let oldest = OldestReady()
    lazy var obstacles = SoleObstacleLog(logger)
    private var ids = IDSource()
    private let told = Mutex(KeeperFacts())

    init(
        _ configuration: StoreConfiguration, _ client: any StoreClient, _ server: CurrentServer, writers: [Int16],
        _ logger: Logger, registered: @escaping (Swift.Result<StoreSummary, any Error>) -> Void
    ) {
        self.client = client
        self.server = server
        self.writers = writers
        self.registered = registered
        choice = ServerChoice(configuration, logger)
        startLimit = client.now() + Span(nanoseconds: Int64(configuration.startTimeout * 1e9))
        super.init("keeper", configuration, logger)
    }

    override func open() throws -> Connection {
        if !hasStarted {
            let migrator = try Migrator(database: configuration.database, schema: configuration.schema)
            _ = configuration.migrates ? try migrator.up() : try migrator.check()
        }
        let connection = try choice.open(Statement.keeper, last: session)
        try connection.run(Statement.keeperSettings)
        let isSilent = connection.shouldGiveUp
        connection.shouldGiveUp = { [unowned self, unowned connection] seconds in
            isSilent?(seconds) ?? false || seconds % Keeper.patience == 0 && choice.hasSuccessor(of: connection)
        }
        return connection
    }

    /// Before the first success an error that will not pass ends the start.
    override func failed(_ error: any Error) {
        guard !hasStarted else {
            if case .schemaGone? = error as? StoreError, !hasReportedMissingSchema {
                logger.error("\(error)")
                hasReportedMissingSchema = true
            }
            return
        }
        let mayPass =
            switch error as? StoreError {
            case .unreachable, .lost, .readOnly: true
            default: false
            }
        if !mayPass || client.now() >= startLimit {
            hasStarted = true
            registered(.failure(error))
            _ = stop(within: 0)
        }
    }

    override func serve(_ connection: Connection) throws {
        hasReportedMissingSchema = false
        do {
            try beginTerm(connection)
            try keep(connection)
        } catch let error as StoreError where !error.isLost {
            // A healthy database refuses nothing here: begin again.
            throw StoreError.lost(error.description)
        }
    }

    /// Called once the broker serves.
    func started(_ connection: Connection) {
        guard !hasStarted else { return }
        hasStarted = true
        registered(.success(StoreSummary(connection, configuration)))
    }

    /// Checks that the server has what this broker has committed, before any worker uses it. After the failover to an
    /// asynchronous standby a part may be missing: then nothing that is known of tubes, jobs and leases is used again,
    /// and a new epoch begins with what the database has.
    private func beginTerm(_ connection: Connection) throws {
        let committed = server.endTerm()
        if epoch != 0 {
            client.forgetIDs()
            monitor.connectionWasLost()
            clock.forget()
            nextHeartbeat = client.now()
            if try !hasLastCommits(connection, committed.filter { $0.value.epoch == epoch }) {
                abandonEpoch("the database does not have all that this broker has done there")
            }
        }
        // Before the other workers come: what they have for a dead epoch must find it dead.
        if monitor.abandoned != nil { _ = try declareDead(connection) }
        try server.beginTerm(connection)
    }

    private func hasLastCommits(_ connection: Connection, _ committed: [Int16: CurrentServer.Entry]) throws -> Bool {
        var known = Parameters()
        known.add(epoch)
        known.add(beats)
        known.add(int2s: committed.keys)
        known.add(int8s: committed.values.map(\.batch))
        return try connection.execute(.hasLastCommits, known).value(Bool.self)
    }

    private func keep(_ connection: Connection) throws {
        while true {
            if isStopping {
                if try connection.unlessLocked(logger, { try unregister(connection) }) { return }
                continue
            }
            let now = client.now()
            if epoch == 0 {
                try connection.unlessLocked(logger) { try register(connection) }
            } else if nextHeartbeat <= now {
                nextHeartbeat = now + StoreTiming.heartbeatInterval
                if try !connection.unlessLocked(logger, { try beat(connection) }) {
                    nextHeartbeat = client.now() + StoreTiming.heartbeatRetry
                }
            }
            if epoch != 0, isJoining { try connection.unlessLocked(logger) { try join(connection) } }
            tell()
            try fetchIDs(connection)
            if epoch != 0, !isJoining {
                try upkeep.run(connection, epoch: epoch, isOldest: isOldest, isAlone: peers.isEmpty, at: now)
            }
            let next = isJoining ? now + Keeper.joinInterval : min(nextHeartbeat, upkeep.next(isOldest: isOldest))
            let pause = max(1, (next - client.now()).nanoseconds / 1_000_000)
            if bell.wait(socket: connection.socket, milliseconds: Int32(clamping: pause)), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    /// What others may know.
    var facts: KeeperFacts { told.withLock { $0 } }

    private func tell() {
        told.withLock {
            $0.epoch = isJoining ? 0 : epoch
            $0.heartbeatSentAt = heartbeatSentAt
            $0.peers = peers.count
            $0.hasDuty = epoch != 0 && !isJoining && isOldest
            $0.failovers = monitor.failovers
        }
    }

    /// The oldest broker does what one broker has to do for all.
    private var isOldest: Bool { peers.allSatisfy { $0 > epoch } }

    /// Fetches ids if the queue needs some.
    func fetchIDs(_ connection: Connection) throws {
        guard let count = client.takeIDRequest() else { return }
        do {
            client.add(ids: try ids.next(count, connection))
        } catch {
            client.idRequestFailed()
            throw error
        }
    }
}

extension Connection {
    /// Does something unless it meets somebody's lock: then nothing has happened, and the caller tries again soon.
    /// - Returns: False if it has met a lock.
    @discardableResult
    func unlessLocked(_ logger: Logger, _ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return true
        } catch let error as StoreError where error.isLockTimeout {
            try rollBack()
            logger.debug("somebody's lock is in the way, trying again", metadata: [LogKey.error: "\(error)"])
            return false
        }
    }
}
