@testable import QueueCore

/// A queue, its clients, a database, and a clock that tests move.
///
/// The store answers at once unless told otherwise: `writes` and `queries` say how far a batch or the queries under
/// way get. Whatever is stopped goes on when the flow is set back and `settle` is called.
final class World {
    /// How far the store's work gets by itself.
    enum Flow: Comparable {
        /// Nothing is taken: the database is away.
        case stopped
        /// Taken, and not done yet.
        case taken
        /// Done, but the broker has not been told.
        case done
        case flowing
    }

    var queue: Queue
    private(set) var now = Instant(nanoseconds: 0) + .seconds(1000)
    var database = Database()
    private(set) var clients: [ConnectionID: Client] = [:]

    var writes = Flow.flowing { didSet { settle() } }
    var queries = Flow.flowing { didSet { settle() } }
    var ids = Flow.flowing { didSet { settle() } }
    /// The next batches, or queries, are refused so.
    var writeRefusal: Refusal?
    var queryRefusal: Refusal?
    /// Whether the keeper renews the epoch, and how many other brokers it sees.
    var beats = true
    var peers = 0
    /// Called after each event that the queue was given.
    var observer: ((World) -> Void)?
    /// Called with each reply, in the order in which they leave.
    var listener: ((Client, Reply) -> Void)?
    /// Jobs that the store has changed and not told the broker of.
    var untold: Set<JobID> { writing.values.reduce(untoldQueries) { $0.union($1.untold) } }
    private var untoldQueries: Set<JobID> = []

    /// What each writer is at.
    private struct Writing {
        var batch: WriteBatch?
        var outcome: WriteOutcome?
        /// Jobs that it has changed and not told the broker of.
        var untold: Set<JobID> = []
    }
    private var writing: [WriteKind: Writing] = [.puts: Writing(), .changes: Writing()]
    /// The batch of puts that has been taken.
    var putBatch: WriteBatch? { writing[.puts]?.batch }
    private(set) var asked: [PendingQuery] = []
    private var askedEpoch: Int64 = 0
    private(set) var answers: [Answer]?
    private var nextBeat = Instant.never

    init(
        cacheBytes: Int = 1 << 20, maxPendingBytes: Int = 1 << 20, maxBatchBytes: Int = 1 << 20,
        isAttached: Bool = true
    ) {
        var configuration = Queue.Configuration()
        configuration.cacheBytes = cacheBytes
        configuration.maxPendingBytes = maxPendingBytes
        configuration.maxBatchBytes = maxBatchBytes
        queue = Queue(configuration: configuration)
        if isAttached { attach() }
    }

    /// Registers a new epoch.
    func attach() {
        let epoch = database.register()
        nextBeat = now + .seconds(1)
        act {
            $0.attach(
                epoch: epoch, isSole: self.database.sole == epoch, tubes: self.database.tubeRows(at: $1),
                validUntil: $1 + World.validity, now: $1)
        }
        settle()
    }

    /// How long a heartbeat counts.
    static let validity = Span.milliseconds(2500)

    func connect(using: TubeName? = nil, watching: TubeName? = nil) -> Client {
        let id = queue.open(outbox: 0, now: now)
        let client = Client(id, self)
        clients[id] = client
        if let using { client.sends(.use(using)) }
        if let watching { client.sends(.watch(watching), .ignore("default")) }
        _ = client.hears()
        return client
    }

    /// The queue is given one event.
    func act(_ event: (inout Queue, Instant) -> Void) {
        event(&queue, now)
        observer?(self)
    }

    // MARK: Time

    func advance(_ span: Span) {
        let end = now + span
        settle()
        while now < end {
            now = max(now, min(end, queue.nextDeadline, beats && queue.epoch != 0 ? nextBeat : end))
            if beats, queue.epoch != 0, nextBeat <= now { beat() }
            act { $0.advance(to: $1) }
            settle()
            if now < end, queue.nextDeadline <= now { now = now + .milliseconds(1) }
        }
    }

    /// Nobody ran for so long.
    func jump(_ span: Span) { now = now + span }

    func beat() {
        nextBeat = now + .seconds(1)
        guard database.epochs.contains(queue.epoch) else {
            act { $0.detach(now: $1) }
            return settle()
        }
        let isSole = database.sole == queue.epoch
        act { $0.renew(validUntil: $1 + World.validity, peers: self.peers, isSole: isSole, now: $1) }
        if peers == 0, queue.wantsSole, database.becomeSole(queue.epoch) { act { $0.becameSole(now: $1) } }
        if peers > 0 { act { $0.learn(self.database.tubeRows(at: $1), readAt: $1, now: $1) } }
        settle()
    }

    // MARK: The store

    /// Lets everything happen that happens by itself.
    func settle() {
        while carry() || fetchIDs() || stepWrites(.puts, to: writes) || stepWrites(.changes, to: writes)
            || stepQueries(to: queries)
        {}
    }

    /// Nothing is under way between the queue and the store.
    var isQuiet: Bool {
        writing.values.allSatisfy { $0.batch == nil } && asked.isEmpty && queue.queries.isEmpty
            && queue.lanes.puts.isIdle && queue.lanes.changes.isIdle && queue.orphanedPuts.isEmpty
    }

    private func carry() -> Bool {
        var output: [Queue.Output] = []
        queue.takeOutput(0, into: &output)
        for item in output {
            switch item {
            case .reply(let id, let reply):
                guard let client = clients[id], !client.isClosed else { continue }
                client.hear(reply)
                listener?(client, reply)
            case .resume(let id): clients[id]?.feed()
            case .close(let id): clients[id]?.closed()
            }
        }
        return !output.isEmpty
    }

    private func fetchIDs() -> Bool {
        guard ids == .flowing, let count = queue.takeIDRequest() else { return false }
        let range = database.ids(count)
        act { $0.add(ids: [range], now: $1) }
        return true
    }

    /// One step of a writer: take, do, tell.
    @discardableResult
    func stepWrites(_ kind: WriteKind, to flow: Flow = .flowing) -> Bool {
        let now = writing[kind] ?? Writing()
        if let batch = now.batch, let outcome = now.outcome, flow >= .flowing {
            writing[kind] = Writing(untold: now.untold)
            act { $0.finish(kind, [(batch, outcome)], now: $1) }
            writing[kind]?.untold = []
        } else if let batch = now.batch, now.outcome == nil, flow >= .done {
            writing[kind]?.outcome = writeRefusal.map { .refused($0) } ?? database.run(batch, at: self.now)
            writing[kind]?.untold = Set(batch.puts.map(\.id) + batch.moves.map(\.id))
        } else if now.batch == nil, flow >= .taken {
            act { self.writing[kind]?.batch = $0.takeWrites(kind, now: $1) }
            return writing[kind]?.batch != nil
        } else {
            return false
        }
        return true
    }

    /// One step of the reader.
    @discardableResult
    func stepQueries(to flow: Flow = .flowing) -> Bool {
        if asked.isEmpty {
            guard flow >= .taken else { return false }
            askedEpoch = queue.epoch
            act { self.asked = $0.takeQueries(now: $1) }
            return !asked.isEmpty
        }
        guard let answers else {
            guard flow >= .done else { return false }
            let before = database.rows
            self.answers = doQueries()
            untoldQueries = Set(database.rows.keys.filter { database.rows[$0]?.state != before[$0]?.state })
            return true
        }
        guard flow >= .flowing else { return false }
        let asked = asked
        self.asked = []
        self.answers = nil
        act { if answers.isEmpty { $0.fenced(asked, now: $1) } else { $0.finish(asked, answers, now: $1) } }
        untoldQueries = []
        return true
    }

    /// Empty when fenced.
    private func doQueries() -> [Answer] {
        if let queryRefusal { return asked.map { _ in .refused(queryRefusal) } }
        return database.run(asked.map(\.query), epoch: askedEpoch, at: now) ?? []
    }
}
