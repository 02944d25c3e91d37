import QueueCore

/// A queue and its clients, with a store that does everything at once and without errors, so that only the queue is
/// measured.
///
/// Everything that the benchmarks use of the store's side of `Queue` is here.
final class Driver {
    private var queue: Queue
    private let clients: [ConnectionID]
    private let hasBacklog: Bool
    private var now = Instant(nanoseconds: 0) + .seconds(1000)
    private var output: [Queue.Output] = []

    /// `hasBacklog`: the database has more ready jobs than any cache will hold.
    init(clients count: Int, hasBacklog: Bool = false) {
        var configuration = Queue.Configuration()
        configuration.cacheBytes = 1 << 30
        var queue = Queue(configuration: configuration)
        clients = (0..<count).map { [now] _ in queue.open(outbox: 0, now: now) }
        let tube = TubeRow(id: 1, name: .default, pause: 0, pauseLeft: 0, counts: StateCounts())
        queue.attach(epoch: epoch, tubes: [tube], validUntil: .never, now: now)
        queue.add(ids: [1...firstOfBacklog - 1], now: now)
        self.queue = queue
        self.hasBacklog = hasBacklog
        // Its reserve makes the queue learn that the database has no more.
        if !hasBacklog { live(1) }
    }

    // MARK: Measured

    /// Puts, commits, reserves, deletes and commits this many jobs; each client takes its turn at every step.
    func live(_ count: Int) {
        put(count)
        commit(.puts)
        forgetOutput()
        reserve(count)
        answerQueries()
        deleteReserved()
        precondition(commit(.changes) == count, "a job has not come through")
        forgetOutput()
        pass()
    }

    /// A client finds the cache empty, and all that the queue then asks for goes through it. `measure` does the part
    /// in which the queue is answered.
    /// - Returns: the number of jobs.
    @discardableResult
    func refill(measure: (() -> Void) -> Void) -> Int {
        reserve(1)
        let asked = queue.takeQueries(now: now)
        let answers = asked.map { answer($0.query) }
        measure { queue.finish(asked, answers, now: now) }
        for case .rows(let rows) in answers { reserve(rows.count - 1) }
        deleteReserved()
        let count = commit(.changes)
        forgetOutput()
        pass()
        return count
    }

    func batch(ofPuts count: Int) -> WriteBatch? {
        put(count)
        return queue.takeWrites(.puts, now: now)
    }

    func batch(ofDeletes count: Int) -> WriteBatch? {
        put(count)
        commit(.puts)
        forgetOutput()
        reserve(count)
        deleteReserved()
        return queue.takeWrites(.changes, now: now)
    }

    /// Leaves this many more jobs in the cache.
    func stock(_ count: Int) {
        for _ in 0..<count {
            put(1)
            commit(.puts)
            forgetOutput()
        }
    }

    // MARK: Clients

    private func put(_ count: Int) {
        for n in 0..<count { queue.receive(newJob, from: clients[n % clients.count], now: now) }
    }

    private func reserve(_ count: Int) {
        for n in 0..<count { queue.receive(.reserve, from: clients[n % clients.count], now: now) }
    }

    private func deleteReserved() {
        queue.takeOutput(0, into: &output)
        for case .reply(let client, .reserved(let id, _)) in output {
            queue.receive(.delete(id), from: client, now: now)
        }
    }

    private func forgetOutput() {
        output.removeAll(keepingCapacity: true)
        queue.takeOutput(0, into: &output)
        output.removeAll(keepingCapacity: true)
    }

    // MARK: The store

    /// - Returns: the number of operations.
    @discardableResult
    private func commit(_ kind: WriteKind) -> Int {
        guard let batch = queue.takeWrites(kind, now: now) else { return 0 }
        queue.finish(kind, [(batch, .committed)], now: now)
        return batch.count
    }

    private func answerQueries() {
        while true {
            let asked = queue.takeQueries(now: now)
            if asked.isEmpty { return }
            queue.finish(asked, asked.map { answer($0.query) }, now: now)
        }
    }

    private func answer(_ query: Query) -> Answer {
        switch query {
        case .refill(let tube, let from, let limit, _, _) where hasBacklog: .rows(rows(tube, from: from, limit))
        case .sweep: .swept([], more: false, nextDue: nil)
        case .endLeases: .done
        case .poll: .keys([])
        default: .rows([])
        }
    }

    private func rows(_ tube: TubeID, from key: JobKey, _ count: Int) -> [JobRow] {
        let first = max(key.id, firstOfBacklog)
        return (first..<first + JobID(count)).map { id in
            JobRow(
                id: id, tube: tube, state: .ready, priority: priority, ttr: 120, delay: 0, age: 0, left: 0,
                isReserved: false, counters: JobCounters(), lease: epoch, body: body)
        }
    }

    // MARK: Time

    /// Lets time pass, so that the periodic work of the queue is measured too.
    private func pass() {
        now = now + .microseconds(100)
        guard queue.nextDeadline <= now else { return }
        queue.advance(to: now)
        answerQueries()
    }
}

private let epoch: Int64 = 1
private let priority: UInt32 = 1024
private let body = Body(repeating: UInt8(ascii: "x"), count: 200)
private let newJob = Command.put(NewJob(priority: priority, delay: 0, ttr: 120, body: body))
/// No put gets this far.
private let firstOfBacklog: JobID = 1 << 40
