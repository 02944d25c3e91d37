import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import PostgresStore
import QueueCore

/// The queue, shared by the event loops, which bring commands, and the store's threads, which bring outcomes.
///
/// Each changes the queue under one lock, and acts on the result after the lock: the loop that owns a connection sends
/// its replies, and the store's threads commit the batches (docs/ARCHITECTURE.md, Threads).
final class Broker: StoreClient, @unchecked Sendable {
    private struct State: ~Copyable {
        var queue: Queue
        /// The time that the timer is set to.
        var timerAt = Instant.never

        /// The time to which the timer has to be set; `nil` if it goes off by then.
        mutating func timer(for deadline: Instant) -> Instant? {
            guard deadline < timerAt else { return nil }
            timerAt = deadline
            return deadline
        }
    }

    // Used under the lock only.
    private var state: State
    private var store: Store?
    /// Not a `Mutex`, as everywhere else: under the contention of this lock a `Mutex` takes several times the CPU.
    private let lock = NIOLock()
    /// Set once, at the start. The loops refer to this object too; all live as long as the process serves.
    private(set) var loops: [ClientLoop] = []

    init(configuration: Queue.Configuration, loops: [any EventLoop]) {
        state = State(queue: Queue(configuration: configuration, outboxes: loops.count))
        self.loops = loops.enumerated().map { ClientLoop($1, index: $0, broker: self) }
    }

    /// Sets the store that works for this broker.
    func use(_ store: Store?) {
        lock.withLock { self.store = store }
    }

    /// Stops the store. Blocks the thread for up to about `seconds`.
    func stopStore(within seconds: Double) {
        let store = lock.withLock {
            defer { self.store = nil }
            return self.store
        }
        store?.stop(within: seconds)
    }

    func now() -> Instant {
        Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
    }

    // MARK: Changes

    /// Changes the queue, and wakes the threads and loops that have something to do now.
    private func change<Result>(_ body: (inout Queue, Instant) -> Result) -> Result {
        let now = now()
        let (result, effects, timer, woken) = lock.withLock {
            let result = body(&state.queue, now)
            #if DEBUG
            state.queue.checkInvariants()
            #endif
            let effects = state.queue.effects()
            return (result, effects, state.timer(for: effects.deadline), store)
        }
        act(on: effects, woken, timer: timer)
        return result
    }

    /// Changes the queue on behalf of a loop's clients, and takes the outputs for that loop.
    func change<Result>(
        on loop: ClientLoop, takingInto outputs: inout [Queue.Output], _ body: (inout Queue, Instant) -> Result
    ) -> Result {
        change { queue, now in
            let result = body(&queue, now)
            queue.takeOutput(loop.index, into: &outputs)
            return result
        }
    }

    /// Reads the queue under its lock.
    func look<Result>(_ body: (borrowing Queue) -> Result) -> Result { lock.withLock { body(state.queue) } }

    func storeSnapshot() -> StoreSnapshot? { lock.withLock { store }?.snapshot() }

    // MARK: Wakes

    /// Acts on what a change has led to. `timer`: the time to which the timer has to be set.
    private func act(on effects: Effects, _ store: Store?, timer: Instant?) {
        if !effects.work.isEmpty { store?.wake(for: effects.work) }
        if let timer { setTimer(timer) }
        if effects.outboxes != 0 {
            for loop in loops where effects.outboxes & (1 << UInt64(loop.index)) != 0 { loop.scheduleTurn() }
        }
    }

    private func setTimer(_ at: Instant) {
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, at.nanoseconds)))
        let loop = loops[0]
        loop.eventLoop.execute {
            loop.eventLoop.scheduleTask(deadline: deadline) { self.timerFired() }
        }
    }

    private func timerFired() {
        lock.withLock { state.timerAt = .never }
        loops[0].perform { queue, now in queue.advance(to: now) }
    }

    /// Refuses puts from now on.
    func drain() {
        change { queue, _ in queue.drain() }
    }

    /// Whether every write is committed and answered.
    var isSettled: Bool { lock.withLock { state.queue.isSettled } }

    // MARK: From the store's threads

    func takeWrites(_ kind: WriteKind, atLeast count: Int) -> WriteBatch? {
        change { queue, now in queue.takeWrites(kind, atLeast: count, now: now) }
    }
    func finish(_ kind: WriteKind, _ parts: [(batch: WriteBatch, outcome: WriteOutcome)]) -> Int {
        change { queue, now in queue.finish(kind, parts, now: now) }
    }
    func takeQueries() -> [PendingQuery] { change { queue, now in queue.takeQueries(now: now) } }
    func finish(_ queries: [PendingQuery], _ answers: [Answer]) {
        change { queue, now in queue.finish(queries, answers, now: now) }
    }
    func fenced(_ queries: [PendingQuery]) { change { queue, now in queue.fenced(queries, now: now) } }

    func attach(epoch: Int64, isSole: Bool, tubes: [TubeRow], sentAt: Instant) {
        change { queue, now in
            queue.attach(
                epoch: epoch, isSole: isSole, tubes: tubes, validUntil: sentAt + StoreTiming.epochValidity, now: now)
        }
    }
    func renew(sentAt: Instant, peers: Int, hasLostPeer: Bool, isSole: Bool) {
        change { queue, now in
            queue.renew(
                validUntil: sentAt + StoreTiming.epochValidity, peers: peers, hasLostPeer: hasLostPeer, isSole: isSole,
                now: now)
        }
    }
    var wantsSole: Bool { lock.withLock { state.queue.wantsSole } }
    func becameSole() { change { queue, now in queue.becameSole(now: now) } }
    func beginCounting() -> Recount { change { queue, _ in queue.beginCounting() } }
    func learn(_ tubes: [TubeRow], isLast: Bool, readAt: Instant) {
        change { queue, now in queue.learn(tubes, isLast: isLast, readAt: readAt, now: now) }
    }
    func unneeded(_ tubes: [TubeID]) -> [TubeID] { change { queue, _ in queue.unneeded(tubes) } }
    func removed(_ tubes: [TubeID]) { change { queue, now in queue.removed(tubes, now: now) } }
    func learn(policies: [TubePolicy]) { change { queue, _ in queue.learn(policies: policies) } }
    func detach() { change { queue, now in queue.detach(now: now) } }
    func reconnected() { change { queue, now in queue.reconnected(now: now) } }
    func forgetIDs() { change { queue, _ in queue.forgetIDs() } }
    func takeIDRequest() -> Int? { change { queue, _ in queue.takeIDRequest() } }
    func add(ids: [ClosedRange<JobID>]) { change { queue, now in queue.add(ids: ids, now: now) } }
    func idRequestFailed() { change { queue, _ in queue.idRequestFailed() } }
    func learn(lastID: JobID) { change { queue, _ in queue.learn(lastID: lastID) } }
    var untoldActivity: Int { lock.withLock { state.queue.untoldActivity } }
    func takeActivity(limit: Int) -> [ActivityChange] { change { queue, _ in queue.takeActivity(limit: limit) } }
    func takeNotices() -> Notices? { change { queue, _ in queue.takeNotices() } }
    func waitsPublished(_ tubes: [(tube: TubeID, name: TubeName)]) {
        change { queue, now in queue.waitsPublished(tubes, now: now) }
    }
    func othersAwait(_ tubes: Set<TubeName>) { change { queue, now in queue.othersAwait(tubes, now: now) } }
    func noticed(_ notices: [Notice]) {
        change { queue, now in for notice in notices { queue.noticed(notice, now: now) } }
    }
    var epoch: Int64 { lock.withLock { state.queue.epoch } }
    func leasesRecalled(_ number: Int64) { change { queue, now in queue.leasesRecalled(number, now: now) } }
    func shareWithSQL() { change { queue, now in queue.shareWithSQL(now: now) } }
    func learn(_ changes: [SQLChange], readAt: Instant) {
        change { queue, now in queue.learn(changes, readAt: readAt, now: now) }
    }
    func othersCounted() { change { queue, _ in queue.othersCounted() } }
    func missedNotices() { change { queue, now in queue.missedNotices(now: now) } }
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)] { change { queue, _ in queue.takeHeldCounts() } }
}
