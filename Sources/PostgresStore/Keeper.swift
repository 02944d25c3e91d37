import Foundation
import LogKeys
import Logging
import QueueCore
import Synchronization

/// Keeps the broker alive in the eyes of the others, and what is not on the way of any job: the schema at the start,
/// the epoch and its heartbeat, the ids, and the counts (design, sections 3 and 7).
final class Keeper: Worker, @unchecked Sendable {
    private static let beatEvery = Span.milliseconds(1000)
    private static let publishEvery = Span.milliseconds(500)
    /// How often a broker that waits for the sole one looks again.
    private static let joinEvery = Span.milliseconds(20)

    private unowned let client: any StoreClient
    /// 0 while there is none.
    private var epoch: Int64 = 0
    private let settled: [(writer: Int16, number: () -> Int64)]
    private let registered: (Swift.Result<StoreSummary, any Error>) -> Void
    private let startLimit: Instant

    private var folded: [Int16: Int64] = [:]
    /// The last tube made, by anybody, that is known.
    private var newestTube: Int32 = 0
    private var unpublished: [TubeID: StateCounts] = [:]
    private var nextBeat = Instant(nanoseconds: 0)
    private var nextPublish = Instant(nanoseconds: 0)
    private var hasStarted = false
    /// Registered, but another broker is still the sole one.
    private var isJoining = false
    private var isSole = false
    /// The epochs of the other living brokers.
    private var others: Set<Int64> = []
    /// When the last heartbeat, or the registration, was asked for.
    private var beatenAt = Instant(nanoseconds: 0)

    init(
        _ configuration: StoreConfiguration, _ client: any StoreClient,
        settled: [(writer: Int16, number: () -> Int64)], _ logger: Logger,
        registered: @escaping (Swift.Result<StoreSummary, any Error>) -> Void
    ) {
        self.client = client
        self.settled = settled
        self.registered = registered
        startLimit = client.now() + Span(nanoseconds: Int64(configuration.startTimeout * 1e9))
        super.init("keeper", configuration, logger)
    }

    override func open() throws -> Connection {
        if !hasStarted {
            let migrator = try Migrator(database: configuration.database, schema: configuration.schema)
            _ = configuration.migrates ? try migrator.up() : try migrator.check()
        }
        return try Session.open(configuration, Statement.keeper, isPipelined: false)
    }

    /// What a server says that will be there soon.
    private static let passing = ["starting up", "recovery mode", "not yet accepting", "shutting down", "too many"]

    /// Before the first success an error that will not pass ends the start.
    override func failed(_ error: any Error) {
        guard !hasStarted else { return }
        let mayPass =
            switch error as? StoreError {
            case .unreachable(let message):
                !message.contains("FATAL") || Keeper.passing.contains { message.contains($0) }
            case .lost: true
            default: false
            }
        if !mayPass || client.now() >= startLimit {
            hasStarted = true
            registered(.failure(error))
            _ = stop(within: 0)
        }
    }

    override func serve(_ connection: Connection) throws {
        do {
            try keep(connection)
        } catch let error as StoreError where !error.isLost {
            // Nothing here is refused by a healthy database: begin again.
            throw StoreError.lost(error.description)
        }
    }

    private func keep(_ connection: Connection) throws {
        while true {
            if isStopping {
                try unregister(connection)
                return
            }
            let now = client.now()
            if epoch == 0 {
                try register(connection)
            } else if nextBeat <= now {
                nextBeat = now + Keeper.beatEvery
                try beat(connection)
            }
            if epoch != 0, isJoining { try join(connection) }
            if let count = client.takeIDRequest() { try fetchIDs(count, connection) }
            if epoch != 0, !isJoining, nextPublish <= now {
                nextPublish = now + Keeper.publishEvery
                try publish(connection)
                try fold(connection)
            }
            let next = isJoining ? now + Keeper.joinEvery : min(nextBeat, nextPublish)
            let pause = max(1, (next - client.now()).nanoseconds / 1_000_000)
            if bell.wait(socket: connection.socket, milliseconds: Int32(clamping: pause)), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    // MARK: The epoch

    private func register(_ connection: Connection) throws {
        try bury(connection)
        var parameters = Parameters()
        let sentAt = client.now()
        parameters.add(ProcessSpace.host)
        parameters.add(Int32(ProcessInfo.processInfo.processIdentifier))
        parameters.add(ProcessSpace.name)
        try beginLocked(connection)
        let own = try connection.execute(.register, parameters)
        try connection.run("commit")
        epoch = own.int64(0, 0)
        isSole = own.bool(0, 1)
        isJoining = true
        folded = [:]
        unpublished = [:]
        beatenAt = sentAt
        nextBeat = sentAt + Keeper.beatEvery
        logger.debug("registered", metadata: [LogKey.epoch: "\(epoch)"])
    }

    /// A transaction that nobody else registers in, and that survives a crash whatever the durability asked for: on it
    /// depends who may touch what.
    private func beginLocked(_ connection: Connection) throws {
        try connection.run("begin; set local synchronous_commit to on")
        _ = try connection.execute(.lockBrokers)
    }

    /// Begins to serve, once no other broker is the sole one.
    private func join(_ connection: Connection) throws {
        var own = Parameters()
        own.add(epoch)
        guard try connection.execute(.otherSole, own).count == 0 else { return }
        let tubes = try readTubes(connection)
        newestTube = tubes.map(\.id).max() ?? 0
        isJoining = false
        // At once: it says how many others there are.
        nextBeat = client.now()
        client.attach(epoch: epoch, isSole: isSole, tubes: tubes, sentAt: beatenAt)
        if !hasStarted {
            hasStarted = true
            registered(.success(StoreSummary(connection, configuration)))
        }
    }

    private func beat(_ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(epoch)
        let sentAt = client.now()
        let own = try connection.execute(.beat, parameters)
        guard own.count == 1 else {
            logger.error(
                "declared dead by another broker: giving up all leases and registering again",
                metadata: [LogKey.epoch: "\(epoch)"])
            epoch = 0
            client.detach()
            return
        }
        beatenAt = sentAt
        let before = others
        others = try bury(connection)
        if isJoining { return }
        client.renew(
            sentAt: sentAt, peers: others.count, hasLostPeer: !before.isSubset(of: others), isSole: own.bool(0, 0))
        if others.isEmpty, client.wantsSole { try becomeSole(connection, parameters) }
        let newest = try connection.execute(.newestTube).int32(0, 0)
        if !others.isEmpty || newest > newestTube {
            let readAt = client.now()
            client.learn(try readTubes(connection), readAt: readAt)
        }
        newestTube = newest
    }

    private func becomeSole(_ connection: Connection, _ own: Parameters) throws {
        try beginLocked(connection)
        let isSole = try connection.execute(.becomeSole, own).changed == 1
        try connection.run("commit")
        if isSole { client.becameSole() }
    }

    /// Declares brokers dead that are.
    /// - Returns: the epochs of the others that live.
    @discardableResult
    private func bury(_ connection: Connection) throws -> Set<Int64> {
        var own = Parameters()
        own.add(epoch)
        let peers = try connection.execute(.peers, own)
        guard peers.count > 0 else { return [] }
        let ended = (0..<peers.count).filter {
            peers.string($0, 2) == ProcessSpace.name && ProcessSpace.hasEnded(peers.int32($0, 1))
        }
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int8s: ended.map { peers.int64($0, 0) })
        // All or nothing: nobody else would fold what the dead have left.
        try connection.run("begin")
        let dead = try connection.execute(.bury, parameters)
        let epochs = (0..<dead.count).map { dead.int64($0, 0) }
        if !epochs.isEmpty {
            var gone = Parameters()
            gone.add(int8s: epochs)
            _ = try connection.execute(.inheritLedger, gone)
            _ = try connection.execute(.forgetPublished, gone)
        }
        try connection.run("commit")
        if !epochs.isEmpty { logger.notice("declared brokers dead", metadata: [LogKey.epoch: "\(epochs)"]) }
        return Set((0..<peers.count).map { peers.int64($0, 0) }).subtracting(epochs)
    }

    private func unregister(_ connection: Connection) throws {
        guard epoch != 0 else { return }
        try fold(connection, keepingLast: false)
        var own = Parameters()
        own.add(int8s: [epoch])
        _ = try connection.execute(.forgetPublished, own)
        var parameters = Parameters()
        parameters.add(epoch)
        _ = try connection.execute(.unregister, parameters)
        epoch = 0
    }

    // MARK: Ids and counts

    private func fetchIDs(_ count: Int, _ connection: Connection) throws {
        var parameters = Parameters()
        parameters.add(Int32(count))
        do {
            let rows = try connection.execute(.ids, parameters)
            var ranges: [ClosedRange<JobID>] = []
            for row in 0..<rows.count {
                let id = JobID(rows.int64(row, 0))
                if let last = ranges.last, last.upperBound + 1 == id {
                    ranges[ranges.count - 1] = last.lowerBound...id
                } else {
                    ranges.append(id...id)
                }
            }
            client.add(ids: ranges)
        } catch {
            client.idRequestFailed()
            throw error
        }
    }

    private func publish(_ connection: Connection) throws {
        for (tube, counts) in client.takeHeldCounts() { unpublished[tube] = counts }
        guard !unpublished.isEmpty else { return }
        let held = Array(unpublished)
        var parameters = Parameters()
        parameters.add(epoch)
        parameters.add(int4s: held.map(\.key))
        parameters.add(int8s: held.map { Int64($0.value.urgent) })
        parameters.add(int8s: held.map { Int64($0.value.ready) })
        parameters.add(int8s: held.map { Int64($0.value.delayed) })
        parameters.add(int8s: held.map { Int64($0.value.buried) })
        _ = try connection.execute(.publish, parameters)
        unpublished = [:]
        if held.contains(where: { $0.value.total == 0 }) {
            var own = Parameters()
            own.add(epoch)
            _ = try connection.execute(.unpublish, own)
        }
    }

    /// `keepingLast`: the outcome of each writer's last batch may still be asked for.
    private func fold(_ connection: Connection, keepingLast: Bool = true) throws {
        for (writer, number) in settled {
            let last = number() + (keepingLast ? 0 : 1)
            let first = folded[writer] ?? 0
            guard last > first else { continue }
            var parameters = Parameters()
            parameters.add(epoch)
            parameters.add(writer)
            parameters.add(first)
            parameters.add(last)
            _ = try connection.execute(.fold, parameters)
            folded[writer] = last
        }
    }

    private func readTubes(_ connection: Connection) throws -> [TubeRow] {
        var own = Parameters()
        own.add(epoch)
        let rows = try connection.execute(.tubes, own)
        return (0..<rows.count).map { row in
            TubeRow(
                id: rows.int32(row, 0), name: TubeName(unchecked: rows.string(row, 1)), pause: rows.int64(row, 2),
                pauseLeft: rows.int64(row, 3),
                counts: rows.counts(row, from: 4), heldElsewhere: rows.counts(row, from: 8))
        }
    }
}

extension Rows {
    /// Four columns: urgent, ready, delayed, buried.
    fileprivate func counts(_ row: Int, from column: Int) -> StateCounts {
        StateCounts(
            urgent: Int(int64(row, column)), ready: Int(int64(row, column + 1)), delayed: Int(int64(row, column + 2)),
            buried: Int(int64(row, column + 3)))
    }
}

/// What identifies a process among those that share a database.
enum ProcessSpace {
    static var host: String { ProcessInfo.processInfo.hostName }

    /// The machine's boot and the namespace of its pids: where both agree, pids name the same processes.
    static let name: String = {
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        guard let boot, let space else { return "unknown:\(UUID())" }
        return boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + space
    }()

    static func hasEnded(_ pid: Int32) -> Bool {
        kill(pid, 0) != 0 && errno == ESRCH
    }
}
