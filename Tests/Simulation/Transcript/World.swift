@testable import QueueCore

/// One broker, its clients, a database, and a clock that tests move.
///
/// The store answers at once unless told otherwise: `writes` and `queries` say how far a batch or the queries under
/// way get. What was stopped continues when the flow is set back and `settle` is called.
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

    /// The time that the clock shows.
    private final class Time {
        var now = Instant(nanoseconds: 0) + .seconds(1000)
    }

    let broker: Broker
    var database = Database()
    private let time = Time()
    private(set) var clients: [ConnectionID: Client] = [:]

    var writes = Flow.flowing { didSet { settle() } }
    var queries = Flow.flowing { didSet { settle() } }
    var ids = Flow.flowing { didSet { settle() } }
    /// How the next batches, or queries, are refused.
    var writeRefusal: Refusal?
    var queryRefusal: Refusal?
    /// Whether the keeper renews the epoch, and how many other brokers it sees.
    var beats = true
    var peers = 0

    /// How many replies there were, to all clients.
    private var said = 0
    private var writers = WriteKind.allCases.map { WriterParts($0) }
    private var asked: [PendingQuery] = []
    private var askedEpoch: Int64 = 0
    private var answers: [Answer]?
    private var nextBeat = Instant.never

    var queue: Queue {
        _read { yield broker.queue }
        _modify { yield &broker.queue }
    }
    private(set) var now: Instant {
        get { time.now }
        set { time.now = newValue }
    }
    /// The batch of puts that has been taken.
    var putBatch: WriteBatch? { writers[WriteKind.puts.rawValue].next }

    init(
        cacheBytes: Int = 1 << 20, maxPendingBytes: Int = 1 << 20, maxBatchBytes: Int = 1 << 20,
        isAttached: Bool = true, _ configure: (inout Queue.Configuration) -> Void = { _ in }
    ) {
        var configuration = Queue.Configuration()
        configuration.cacheBytes = cacheBytes
        configuration.maxPendingBytes = maxPendingBytes
        configuration.maxBatchBytes = maxBatchBytes
        configure(&configuration)
        broker = Broker(configuration) { [time] in time.now }
        broker.acted = { [unowned broker] in broker.queue.checkInvariants() }
        if isAttached { attach() }
    }

    /// Registers a new epoch.
    func attach() {
        let epoch = database.register(at: now)
        nextBeat = now + .seconds(1)
        act { queue, _ in queue.learn(policies: Array(self.database.policies.values)) }
        act {
            $0.attach(
                epoch: epoch, isSole: self.database.sole == epoch, tubes: self.database.tubeRows(at: $1),
                validUntil: $1 + Broker.validity, now: $1)
        }
        settle()
    }

    /// Sets a tube's policy, and tells the broker.
    func setPolicy(of tube: TubeName = .default, _ change: (inout TubePolicy) -> Void) {
        var policy = database.policies[database.openTube(tube).id] ?? TubePolicy(tube: 0)
        change(&policy)
        database.set(policy, of: tube)
        act { queue, now in
            queue.learn(policies: Array(self.database.policies.values))
            queue.learn(self.database.tubeRows(at: now), readAt: now, now: now)
        }
        settle()
    }

    func connect(using: TubeName? = nil, watching: TubeName? = nil) -> Client {
        let client = Client(broker.open(), self)
        clients[client.handler.id] = client
        if let using { client.sends(.use(using)) }
        if let watching { client.sends(.watch(watching), .ignore("default")) }
        _ = client.hears()
        return client
    }

    /// Gives the queue one event.
    func act(_ event: (inout Queue, Instant) -> Void) { broker.act(event) }

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

    /// Lets time pass during which nothing runs.
    func jump(_ span: Span) { now = now + span }

    func beat() {
        nextBeat = now + .seconds(1)
        guard let isSole = database.beat(queue.epoch, at: now) else {
            act { $0.detach(now: $1) }
            return settle()
        }
        act { $0.renew(validUntil: $1 + Broker.validity, peers: self.peers, isSole: isSole, now: $1) }
        if peers == 0, queue.wantsSole, database.becomeSole(queue.epoch) { act { $0.becameSole(now: $1) } }
        if case .none = queue.beginCounting() { return settle() }
        act { $0.learn(self.database.tubeRows(at: $1), readAt: $1, now: $1) }
        settle()
    }

    // MARK: The store

    /// Lets everything happen that happens by itself.
    func settle() {
        while carry() || fetchIDs() || stepWrites(.puts, to: writes) || stepWrites(.changes, to: writes)
            || stepWrites(.largePuts, to: writes) || stepQueries(to: queries)
        {}
    }

    private func carry() -> Bool {
        var output: [Queue.Output] = []
        queue.takeOutput(0, into: &output)
        for item in output {
            switch item {
            case .reply(let id, let reply):
                said += 1
                clients[id]?.hear(reply, at: said)
            case .resume(let id): clients[id]?.handler.feed()
            case .close(let id): clients[id]?.handler.closed()
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

    /// One step of a writer: take, do, or report.
    @discardableResult
    func stepWrites(_ kind: WriteKind, to flow: Flow = .flowing) -> Bool {
        let at = kind.rawValue
        if writers[at].isIdle {
            guard flow >= .taken else { return false }
            var isTaken = false
            act { isTaken = self.writers[at].take(from: &$0, now: $1) }
            return isTaken
        }
        if writers[at].isDone {
            guard flow >= .flowing else { return false }
            act { self.writers[at].finish(&$0, now: $1) }
            return true
        }
        guard flow >= .done else { return false }
        while let part = writers[at].next {
            writers[at].settle(writeRefusal.map { .refused($0) } ?? database.run(part, at: now) ?? .refused(.failed))
        }
        return true
    }

    /// One step of the reader: the same.
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
            self.answers = doQueries()
            return true
        }
        guard flow >= .flowing else { return false }
        let asked = asked
        self.asked = []
        self.answers = nil
        act { if answers.isEmpty { $0.fenced(asked, now: $1) } else { $0.finish(asked, answers, now: $1) } }
        return true
    }

    /// Empty when the queries are fenced.
    private func doQueries() -> [Answer] {
        if let queryRefusal { return asked.map { _ in .refused(queryRefusal) } }
        return database.run(asked.map(\.query), epoch: askedEpoch, at: now) ?? []
    }
}
