import BeanstalkProtocol
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import PostgresStore
import QueueCore
import Synchronization

/// The queue, shared: event loops bring commands, store threads bring outcomes, each under one lock for as long as it
/// takes to change the state. What comes out is acted on after the lock: replies by the loop that owns the
/// connection, batches by the store's threads.
final class Broker: StoreClient, @unchecked Sendable {
    private struct State: ~Copyable {
        var queue: Queue
        /// When the timer that is set goes off.
        var timerAt = Instant.never
        /// The writer will be woken at the end of the loop's turn.
        var isWriterWakePlanned = false
    }

    /// How long a registration or heartbeat counts, from when it was sent: well under the 3.5 s after which others
    /// may declare the broker dead (design, section 7).
    private static let epochValidity = Span.milliseconds(2500)

    let loops: [ClientLoop]
    // Touched under the lock alone.
    private var state: State
    private var store: Store?
    private let lock = NIOLock()

    init(configuration: Queue.Configuration, loops: [any EventLoop]) {
        self.loops = loops.enumerated().map { ClientLoop($1, index: $0) }
        state = State(queue: Queue(configuration: configuration, outboxes: loops.count))
    }

    /// The store that works for this broker, from its start to its stop.
    func use(_ store: Store?) {
        lock.withLock { self.store = store }
    }

    /// Ends the store; blocks up to about `seconds`.
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

    // MARK: From the event loops

    /// Changes the queue on behalf of a loop's client and acts on what comes of it.
    func perform<Result>(on loop: ClientLoop, _ body: (inout Queue, Instant) -> Result) -> Result {
        let now = now()
        let (result, wakes) = lock.withLock {
            let result = body(&state.queue, now)
            return (result, Broker.findWakes(&state, isOnLoop: true))
        }
        act(on: wakes, own: loop)
        deliver(to: loop)
        return result
    }

    /// What has to be woken after a change.
    private struct Wakes {
        var writer = false
        var reader = false
        var keeper = false
        var timer: Instant?
        var loops: UInt64 = 0
    }

    // In place: read through the class, the whole queue would be copied, with a reference count for each part.
    private static func findWakes(_ state: inout State, isOnLoop: Bool) -> Wakes {
        var wakes = Wakes()
        if state.queue.hasWrites, !state.isWriterWakePlanned {
            wakes.writer = true
            state.isWriterWakePlanned = isOnLoop
        }
        wakes.reader = state.queue.hasQueries
        wakes.keeper = state.queue.needsIDs
        let next = state.queue.nextDeadline
        if next < state.timerAt {
            state.timerAt = next
            wakes.timer = next
        }
        for outbox in 0..<state.queue.outboxCount where state.queue.hasOutput(outbox) {
            wakes.loops |= 1 << UInt64(outbox)
        }
        return wakes
    }

    private func act(on wakes: Wakes, own: ClientLoop?) {
        if wakes.writer {
            if let own {
                // At the end of the turn: by then all that came in with it is in the batch.
                own.eventLoop.execute {
                    self.lock.withLock { self.state.isWriterWakePlanned = false }
                    self.withStore { $0.wakeWriter() }
                }
            } else {
                withStore { $0.wakeWriter() }
            }
        }
        if wakes.reader { withStore { $0.wakeReader() } }
        if wakes.keeper { withStore { $0.wakeKeeper() } }
        if let timer = wakes.timer { setTimer(timer) }
        for loop in loops where loop !== own && wakes.loops & (1 << UInt64(loop.index)) != 0 {
            if loop.planDelivery() {
                loop.eventLoop.execute { self.deliver(to: loop) }
            }
        }
    }

    private func withStore(_ body: (Store) -> Void) {
        if let store = lock.withLock({ store }) { body(store) }
    }

    /// Carries replies to their connections, until there are no more.
    private func deliver(to loop: ClientLoop) {
        guard !loop.isDelivering else { return }
        loop.isDelivering = true
        loop.deliveryPlanned.store(false, ordering: .sequentiallyConsistent)
        while true {
            let outputs = lock.withLock { state.queue.takeOutput(loop.index) }
            if outputs.isEmpty { break }
            for output in outputs { loop.carry(output) }
        }
        loop.isDelivering = false
        loop.flush()
    }

    private func setTimer(_ at: Instant) {
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, at.nanoseconds)))
        let loop = loops[0]
        loop.eventLoop.execute {
            loop.eventLoop.scheduleTask(deadline: deadline) { self.timerWentOff() }
        }
    }

    private func timerWentOff() {
        lock.withLock { state.timerAt = .never }
        perform(on: loops[0]) { queue, now in queue.advance(to: now) }
    }

    /// No more puts.
    func drain() {
        change { queue, _ in queue.drain() }
    }

    /// Whether every write has been answered.
    var isSettled: Bool { lock.withLock { state.queue.isSettled } }

    // MARK: From the store's threads

    private func change<Result>(_ body: (inout Queue, Instant) -> Result) -> Result {
        let now = now()
        let (result, wakes) = lock.withLock {
            let result = body(&state.queue, now)
            return (result, Broker.findWakes(&state, isOnLoop: false))
        }
        act(on: wakes, own: nil)
        return result
    }

    func takeWrites() -> WriteBatch? { change { queue, now in queue.takeWrites(now: now) } }
    func finish(_ parts: [(batch: WriteBatch, outcome: WriteOutcome)]) {
        change { queue, now in queue.finish(parts, now: now) }
    }
    func takeQueries() -> [PendingQuery] { change { queue, now in queue.takeQueries(now: now) } }
    func finish(_ queries: [PendingQuery], _ answers: [Answer]) {
        change { queue, now in queue.finish(queries, answers, now: now) }
    }
    func fenced(_ queries: [PendingQuery]) { change { queue, now in queue.fenced(queries, now: now) } }

    func attach(epoch: Int64, tubes: [TubeRow], sentAt: Instant) {
        change { queue, now in
            queue.attach(epoch: epoch, tubes: tubes, validUntil: sentAt + Broker.epochValidity, now: now)
        }
    }
    func renew(sentAt: Instant, peers: Int) {
        change { queue, now in queue.renew(validUntil: sentAt + Broker.epochValidity, peers: peers, now: now) }
    }
    func learn(_ tubes: [TubeRow]) { change { queue, now in queue.learn(tubes, now: now) } }
    func detach() { change { queue, now in queue.detach(now: now) } }
    func reconnected() { change { queue, now in queue.reconnected(now: now) } }
    func takeIDRequest() -> Int? { change { queue, _ in queue.takeIDRequest() } }
    func add(ids: [ClosedRange<JobID>]) { change { queue, now in queue.add(ids: ids, now: now) } }
    func idRequestFailed() { change { queue, _ in queue.idRequestFailed() } }
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)] { change { queue, _ in queue.takeHeldCounts() } }
}
