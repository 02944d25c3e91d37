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
    /// A heartbeat that somebody's lock was in the way of comes again after this.
    private static let beatAgain = Span.milliseconds(50)
    /// A batch that keeps a broker from being declared dead has this time to end.
    private static let batchLimit = Span.milliseconds(900)
    /// Tubes that the queue learns of in one go.
    private static let learntAtOnce = 500
    /// The queue's lock is not a fair one: it is left for so many seconds between two of those.
    private static let learningPause = 0.001

    private unowned let client: any StoreClient
    /// 0 while there is none.
    private var epoch: Int64 = 0
    private let server: CurrentServer
    private let writers: [Int16]
    private var choice: ServerChoice
    private let registered: (Swift.Result<StoreSummary, any Error>) -> Void
    private let startLimit: Instant

    private var folded: [Int16: Int64] = [:]
    /// The last batches that have been folded though they stay.
    private var emptied: [Int16: Int64] = [:]
    /// The tubes and policies that the broker has learnt.
    private var known: TubeNews?
    private var held = HeldCounts()
    private var removal = TubeRemoval()
    private var nextBeat = Instant(nanoseconds: 0)
    private var nextPublish = Instant(nanoseconds: 0)
    private var hasStarted = false
    /// It has been told that the schema is gone.
    private var hasMissedSchema = false
    /// Registered, but another broker is still the sole one.
    private var isJoining = false
    private var isSole = false
    /// The epochs of the other living brokers.
    private var others: Set<Int64> = []
    /// When the last heartbeat, or the registration, was asked for.
    private var beatenAt = Instant(nanoseconds: 0)
    /// The number of the last heartbeat that has committed.
    private var beats: Int64 = 0
    /// An epoch that this broker has given up, and whose row may still be there.
    private var abandoned: Int64?
    private var judge = Judge()
    private var clock = ClockWatch()
    /// Transactions that have kept others from being declared dead, and since when that is known.
    private var stuck: [Int64: Instant] = [:]
    private var ids = IDSource()
    private lazy var warnings = WarningWatch(logger)
    private lazy var hindrance = SoleHindrance(logger)
    private lazy var history = HistoryWatch(logger)
    private lazy var complaints = Complaints(logger)

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
        let isSilent = connection.isGivenUp
        connection.isGivenUp = { [unowned self, unowned connection] seconds in
            isSilent?(seconds) ?? false || seconds % Keeper.patience == 0 && choice.hasSuccessor(of: connection)
        }
        return connection
    }

    /// Seconds of silence after which another server is looked for. A commit that waits for its standby is silent too.
    private static let patience = 10

    /// Before the first success an error that will not pass ends the start.
    override func failed(_ error: any Error) {
        guard !hasStarted else {
            if case .schemaGone? = error as? StoreError, !hasMissedSchema {
                logger.error("\(error)")
                hasMissedSchema = true
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
        hasMissedSchema = false
        do {
            try enter(connection)
            try keep(connection)
        } catch let error as StoreError where !error.isLost {
            // Nothing here is refused by a healthy database: begin again.
            throw StoreError.lost(error.description)
        }
    }

    /// Looks what the server has of what this broker has done, before anybody works on it. One that lacks a part, as
    /// after the failover to an asynchronous standby, lacks tubes, jobs and leases that are known here: nothing of
    /// that is used again, and a new epoch begins with what is there.
    private func enter(_ connection: Connection) throws {
        let committed = server.endTerm()
        if epoch != 0 {
            client.forgetIDs()
            judge.wasCutOff()
            clock.forget()
            nextBeat = client.now()
            if try !isWhole(connection, committed.filter { $0.value.epoch == epoch }) {
                giveUp("the database does not have all that this broker has done there")
            }
        }
        // Before the others come: what they have for a dead epoch must find it dead.
        if abandoned != nil { try bury(connection) }
        try server.beginTerm(connection)
    }

    private func isWhole(_ connection: Connection, _ committed: [Int16: CurrentServer.Entry]) throws -> Bool {
        var known = Parameters()
        known.add(epoch)
        known.add(beats)
        known.add(int2s: committed.keys)
        known.add(int8s: committed.values.map(\.batch))
        return try connection.execute(.isWhole, known).bool(0, 0)
    }

    private func giveUp(_ reason: String) {
        logger.error(
            "\(reason): giving up all leases and registering again", metadata: [LogKey.epoch: "\(epoch)"])
        abandoned = epoch
        epoch = 0
        client.detach()
    }

    private func keep(_ connection: Connection) throws {
        while true {
            if isStopping {
                if try attempt(connection, { try unregister(connection) }) { return }
                continue
            }
            let now = client.now()
            if epoch == 0 {
                try attempt(connection) { try register(connection) }
            } else if nextBeat <= now {
                nextBeat = now + Keeper.beatEvery
                if try !attempt(connection, { try beat(connection) }) { nextBeat = client.now() + Keeper.beatAgain }
            }
            if epoch != 0, isJoining { try attempt(connection) { try join(connection) } }
            if let count = client.takeIDRequest() { try fetchIDs(count, connection) }
            if epoch != 0, !isJoining { try keepAccounts(connection, now) }
            let next =
                isJoining ? now + Keeper.joinEvery : min(nextBeat, nextPublish, isEldest ? removal.next : nextBeat)
            let pause = max(1, (next - client.now()).nanoseconds / 1_000_000)
            if bell.wait(socket: connection.socket, milliseconds: Int32(clamping: pause)), connection.isClosed() {
                throw StoreError.lost("the server closed the connection")
            }
        }
    }

    private func keepAccounts(_ connection: Connection, _ now: Instant) throws {
        if nextPublish <= now {
            nextPublish = now + Keeper.publishEvery
            try attempt(connection) {
                try complaints.attempt("tell other brokers what clients hold") { try publish(connection) }
                try fold(connection)
            }
            try warnings.look(connection, at: client.now())
        }
        if isEldest { try attempt(connection) { try removal.look(epoch: epoch, client, connection) } }
        try history.look(connection, at: now)
    }

    /// Whether it does for all what one of them has to do.
    private var isEldest: Bool { others.allSatisfy { $0 > epoch } }

    /// Does something, unless somebody's lock is in the way: then nothing has happened, and it is to be done soon.
    @discardableResult
    private func attempt(_ connection: Connection, _ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return true
        } catch let error as StoreError where error.isLockTimeout {
            try connection.run("rollback")
            logger.debug("somebody's lock is in the way, trying again", metadata: [LogKey.error: "\(error)"])
            return false
        }
    }

    // MARK: The epoch

    private func register(_ connection: Connection) throws {
        others = try bury(connection)
        var parameters = Parameters()
        let sentAt = client.now()
        parameters.add(ProcessSpace.host)
        parameters.add(Int32(ProcessInfo.processInfo.processIdentifier))
        parameters.add(ProcessSpace.name)
        parameters.add(try beginLocked(connection) == nil)
        parameters.add(Int64(configuration.maxJobSize))
        let own = try connection.execute(.register, parameters)
        try connection.run("commit")
        epoch = own.int64(0, 0)
        isSole = own.bool(0, 1)
        isJoining = true
        known = nil
        folded = [:]
        emptied = [:]
        held = HeldCounts()
        removal = TubeRemoval()
        beats = 0
        beatenAt = sentAt
        nextBeat = sentAt + Keeper.beatEvery
        logger.debug("registered", metadata: [LogKey.epoch: "\(epoch)"])
    }

    /// Begins a transaction in which this may become the sole broker: nobody registers meanwhile, nor works by SQL.
    /// Without that it may register all the same, and shares.
    /// - Returns: what is in the way.
    private func beginLocked(_ connection: Connection) throws -> String? {
        try connection.run(Statement.beginSurely)
        do {
            _ = try connection.execute(.lockBrokers)
        } catch let error as StoreError where error.isLockTimeout {
            try connection.run("rollback")
            try connection.run(Statement.beginSurely)
            return "another session has locked the table of brokers"
        }
        return try connection.execute(.holdOffSQL).bool(0, 0)
            ? nil : "a transaction that has called functions of SQL is open"
    }

    /// Begins to serve, once no other broker is the sole one.
    private func join(_ connection: Connection) throws {
        var own = Parameters()
        own.add(epoch)
        guard try connection.execute(.otherSole, own).count == 0 else { return }
        var news = try TubeNews(since: nil, .all, epoch: epoch, at: client.now(), connection)
        var tubes: [TubeRow] = []
        repeat {
            tubes += try news.next(connection)
            guard try renewHeartbeat(connection) != nil else { return }
        } while !news.isRead
        isJoining = false
        // At once: it says how many others there are.
        nextBeat = client.now()
        client.learn(policies: news.policies ?? [])
        client.attach(epoch: epoch, isSole: isSole, tubes: tubes, sentAt: beatenAt)
        known = news
        if !hasStarted {
            hasStarted = true
            registered(.success(StoreSummary(connection, configuration)))
        }
    }

    /// What was read before a heartbeat, and is only used after it, is where the heartbeat is.
    private func beat(_ connection: Connection) throws {
        let last = beatenAt
        let recount = client.beginCounting()
        let readAt = client.now()
        let since = known
        // What is not learnt is news again.
        known = nil
        var news = try TubeNews(since: since, recount, epoch: epoch, at: readAt, connection)
        let tubes = try news.next(connection)
        guard let isSole = try renewHeartbeat(connection) else { return }
        let before = others
        judge.wasHeard(at: client.now(), last: last)
        others = try bury(connection)
        // At the very time: jobs of the dead wait.
        if let verdict = judge.nextVerdict(after: client.now()) { nextBeat = min(nextBeat, verdict) }
        if isJoining { return }
        client.renew(
            sentAt: beatenAt, peers: others.count, hasLostPeer: !before.isSubset(of: others), isSole: isSole)
        if !others.isEmpty {
            hindrance.forget()
        } else if client.wantsSole {
            try attempt(connection) { try becomeSole(connection) }
        }
        if let policies = news.policies { client.learn(policies: policies) }
        learn(tubes, isLast: news.isRead, readAt)
        if try learnRest(of: &news, readAt, connection) { known = news }
    }

    /// Learns of the other tubes; meanwhile the broker lives on and gets its ids.
    /// - Returns: whether that has come to its end.
    private func learnRest(of news: inout TubeNews, _ readAt: Instant, _ connection: Connection) throws -> Bool {
        while !news.isRead, !isStopping {
            if let count = client.takeIDRequest() { try fetchIDs(count, connection) }
            let tubes = try news.next(connection)
            guard let isSole = try renewHeartbeat(connection) else { return false }
            client.renew(sentAt: beatenAt, peers: others.count, hasLostPeer: false, isSole: isSole)
            learn(tubes, isLast: news.isRead, readAt)
        }
        return news.isRead
    }

    /// A part at a time: clients are served in between.
    private func learn(_ tubes: [TubeRow], isLast: Bool, _ readAt: Instant) {
        var left = tubes[...]
        repeat {
            let part = left.prefix(Keeper.learntAtOnce)
            left = left.dropFirst(Keeper.learntAtOnce)
            client.learn(Array(part), isLast: isLast && left.isEmpty, readAt: readAt)
            if !left.isEmpty { Thread.sleep(forTimeInterval: Keeper.learningPause) }
        } while !left.isEmpty
    }

    /// Returns whether this is the sole broker, or `nil` if it is none any more.
    private func renewHeartbeat(_ connection: Connection) throws -> Bool? {
        var own = Parameters()
        own.add(epoch)
        let sentAt = client.now()
        let row = try connection.execute(.beat, own)
        guard row.count == 1 else {
            giveUp("declared dead by another broker")
            return nil
        }
        beatenAt = sentAt
        beats = row.int64(0, 1)
        tell(clockSetBy: clock.saw(row.int64(0, 2), asked: sentAt, now: client.now()))
        return row.bool(0, 0)
    }

    private func tell(clockSetBy seconds: Int64) {
        guard seconds != 0 else { return }
        let how = seconds > 0 ? "forward by \(seconds) s" : "back by \(-seconds) s"
        logger.warning(
            """
            the database's clock was set \(how), or this machine slept: delays, pauses and leases of SQL sessions end \
            as much \(seconds > 0 ? "earlier" : "later")
            """)
    }

    private func becomeSole(_ connection: Connection) throws {
        var own = Parameters()
        own.add(epoch)
        let obstacle = try beginLocked(connection)
        own.add(obstacle == nil)
        let isSole = try connection.execute(.becomeSole, own).changed == 1
        try connection.run("commit")
        if isSole {
            hindrance.isOver()
            client.becameSole()
        } else {
            hindrance.met(obstacle ?? "a SQL session has jobs", at: client.now())
        }
    }

    /// Declares brokers dead that are.
    /// - Returns: the epochs of the others that live.
    @discardableResult
    private func bury(_ connection: Connection) throws -> Set<Int64> {
        var own = Parameters()
        own.add(epoch)
        let asked = client.now()
        let peers = try connection.execute(.peers, own)
        var beats: [Int64: Int64] = [:]
        for row in 0..<peers.count { beats[peers.int64(row, 0)] = peers.int64(row, 3) }
        if let epoch = abandoned, beats[epoch] == nil { abandoned = nil }
        let ended = (0..<peers.count).filter {
            peers.string($0, 2) == ProcessSpace.name && ProcessSpace.hasEnded(peers.int32($0, 1))
                || peers.int64($0, 0) == abandoned
        }
        let silent = judge.silent(among: beats, asked: asked, now: client.now())
        let dead = Set(silent).union(ended.map { peers.int64($0, 0) }).sorted()
        let others = Set(beats.keys)
        guard !dead.isEmpty else { return others }
        do {
            return others.subtracting(try declareDead(dead.map { (epoch: $0, beats: beats[$0]!) }, connection))
        } catch let error as StoreError where error.isLockTimeout {
            // The next heartbeat, which must not be late, tries again.
            try connection.run("rollback")
            try endBatches(of: dead, connection)
            return others
        }
    }

    /// - Returns: those that have been.
    private func declareDead(_ dead: [(epoch: Int64, beats: Int64)], _ connection: Connection) throws -> [Int64] {
        var parameters = Parameters()
        parameters.add(int8s: dead.map(\.epoch))
        parameters.add(int8s: dead.map(\.beats))
        // All or nothing: nobody else would fold what the dead have left.
        try connection.run(Statement.beginBurial)
        let rows = try connection.execute(.bury, parameters)
        let epochs = (0..<rows.count).map { rows.int64($0, 0) }
        if !epochs.isEmpty {
            var gone = Parameters()
            gone.add(int8s: epochs)
            _ = try connection.execute(.inherit, gone)
        }
        try connection.run("commit")
        stuck = [:]
        if let epoch = abandoned, epochs.contains(epoch) { abandoned = nil }
        if !epochs.isEmpty { logger.notice("declared brokers dead", metadata: [LogKey.epoch: "\(epochs)"]) }
        return epochs
    }

    /// Ends the batches in the way that were there the last time.
    private func endBatches(of dead: [Int64], _ connection: Connection) throws {
        let now = client.now()
        var parameters = Parameters()
        parameters.add(int8s: dead)
        parameters.add(int8s: stuck.filter { now - $0.value >= Keeper.batchLimit }.keys)
        let rows = try connection.execute(.endBatches, parameters)
        let found = (0..<rows.count).map { rows.int64($0, 0) }
        let known = stuck
        stuck = [:]
        for transaction in found { stuck[transaction] = known[transaction] ?? now }
        let ended = (0..<rows.count).count { rows.bool($0, 1) }
        logger.warning("a batch keeps a broker from being declared dead", metadata: [LogKey.count: "\(ended)"])
    }

    private func unregister(_ connection: Connection) throws {
        guard epoch != 0 else { return }
        // First: once the row is gone, others may have what this broker would still give out.
        client.detach()
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
        do {
            client.add(ids: try ids.next(count, connection))
        } catch {
            client.idRequestFailed()
            throw error
        }
    }

    private func publish(_ connection: Connection) throws {
        try held.publish(client.takeHeldCounts(), epoch: epoch, at: client.now(), connection)
    }

    /// `keepingLast`: the outcome of each writer's last batch may still be asked for.
    private func fold(_ connection: Connection, keepingLast: Bool = true) throws {
        for writer in writers {
            let last = server.lastCommitted(by: writer) + (keepingLast ? 0 : 1)
            let first = folded[writer] ?? 0
            var parameters = Parameters()
            parameters.add(epoch)
            parameters.add(writer)
            parameters.add(first)
            try complaints.attempt("add up what writer \(writer) has done") {
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
