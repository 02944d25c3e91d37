import Foundation
import NIOCore
import PostgresStore
import QueueCore
import Synchronization

/// What all viewers see at one moment: a snapshot of the queue, and how fast its numbers grow.
struct Frame: Sendable {
    var number = 0
    var at = Date()
    var taken = ContinuousClock.now
    /// With tubes at its end that are gone: they stay in sight for an hour.
    var snapshot = QueueSnapshot()
    /// How many tubes of the snapshot the broker has.
    var present = 0
    /// Puts and deletes a second, for each tube of the snapshot: of the whole queue.
    var rates: [Rate] = []
    /// The same, of this broker alone.
    var own: [Rate] = []
    var total = Rate()
    /// How long the oldest ready jobs have waited.
    var oldest: OldestReadyAges?
    /// Why the store cannot work; `nil` if it can, or if there is none.
    var storeReason: String?

    struct Rate: Sendable {
        var puts = 0.0
        var deletes = 0.0
    }
}

/// Takes a snapshot of the queue at most once a second, however many look.
///
/// Rates are means over the last seconds. So that they are known as soon as somebody looks, a snapshot is taken every 5 s
/// when nobody does.
final class LiveView: Sendable {
    /// A frame serves for so long.
    private static let lifetime = Duration.milliseconds(900)
    private static let idleInterval = Duration.seconds(5)
    /// The seconds after which a change of a rate shows by two thirds.
    private static let memory = 3.0

    /// How long, and how many, tubes stay in sight that are gone: an empty tube does not vanish from the page.
    private static let rememberedTime = Duration.seconds(3600)
    private static let rememberedLimit = 1000

    private struct State {
        var frame: Frame?
        /// Tubes that are gone, the last one to go at the end.
        var remembered: [(name: TubeName, seenAt: ContinuousClock.Instant)] = []
        var answers: [String: ByteBuffer] = [:]
        var idleTask: Task<Void, Never>?
        /// What other brokers do too, if there are any, as the samples tell.
        var sampled: [TubeName: Frame.Rate] = [:]
        var sampledAt: ContinuousClock.Instant?
        var readSamples: ReadSamples?
    }

    typealias ReadSamples = @Sendable () async throws -> [TubeName: Frame.Rate]

    private let broker: any BrokerView
    private let state = Mutex(State())

    init(_ broker: any BrokerView) {
        self.broker = broker
    }

    /// - Parameter readSamples: Reads the rates of the whole queue.
    func start(_ readSamples: @escaping ReadSamples) {
        state.withLock { $0.readSamples = readSamples }
        let task = Task { [weak self] in
            while (try? await Task.sleep(for: LiveView.idleInterval)) != nil {
                guard let self else { return }
                _ = frame()
            }
        }
        state.withLock { $0.idleTask = task }
    }

    func stop() {
        state.withLock { $0.idleTask }?.cancel()
    }

    /// The newest frame, which is at most a second old.
    func frame() -> Frame {
        state.withLock { current(&$0) }
    }

    /// An answer that is made once for each frame and key, for all who ask.
    func answer(_ key: String, _ make: (Frame) throws -> ByteBuffer) rethrows -> ByteBuffer {
        try state.withLock { state in
            let frame = current(&state)
            if let known = state.answers[key] { return known }
            let bytes = try make(frame)
            if state.answers.count < 100 { state.answers[key] = bytes }
            return bytes
        }
    }

    private func current(_ state: inout State) -> Frame {
        if let frame = state.frame, .now - frame.taken < LiveView.lifetime { return frame }
        var snapshot = broker.snapshot()
        let present = snapshot.tubes.count
        LiveView.remember(&state, snapshot)
        snapshot.tubes += state.remembered.map { TubeSnapshot(name: $0.name) }
        var frame = LiveView.next(snapshot, after: state.frame)
        frame.present = present
        let store = broker.storeSnapshot()
        frame.oldest = store?.oldestReady
        frame.storeReason = store?.reason
        addOthers(&state, &frame)
        state.frame = frame
        state.answers = [:]
        return frame
    }

    /// Whether a tube was there a moment ago.
    func remembers(_ tube: TubeName) -> Bool {
        state.withLock { $0.remembered.contains { $0.name == tube } }
    }

    /// Notes the tubes that are gone since the last frame, and forgets those that are there again.
    private static func remember(_ state: inout State, _ snapshot: QueueSnapshot) {
        if let oldest = state.remembered.first, .now - oldest.seenAt > rememberedTime { state.remembered.removeFirst() }
        guard let last = state.frame else { return }
        let before = last.snapshot.tubes.prefix(last.present)
        // Mostly they are the same, in the same places.
        if before.count == snapshot.tubes.count, zip(before, snapshot.tubes).allSatisfy({ $0.name == $1.name }) {
            return
        }
        let names = Set(snapshot.tubes.map(\.name))
        state.remembered.removeAll { names.contains($0.name) }
        for tube in before where !names.contains(tube.name) { state.remembered.append((tube.name, .now)) }
        let excess = state.remembered.count - rememberedLimit
        if excess > 0 { state.remembered.removeFirst(excess) }
    }

    /// Other brokers tell what they do by samples only, so their part is some seconds late.
    private func addOthers(_ state: inout State, _ frame: inout Frame) {
        guard frame.snapshot.peers > 0, let read = state.readSamples else {
            state.sampled = [:]
            return
        }
        if state.sampledAt.map({ .now - $0 > .seconds(5) }) ?? true {
            state.sampledAt = .now
            Task { [weak self] in
                guard let rates = try? await read() else { return }
                self?.state.withLock { $0.sampled = rates }
            }
        }
        guard !state.sampled.isEmpty else { return }
        frame.total = Frame.Rate()
        for (index, tube) in frame.snapshot.tubes.enumerated() {
            if let all = state.sampled[tube.name] {
                frame.rates[index].puts = max(frame.rates[index].puts, all.puts)
                frame.rates[index].deletes = max(frame.rates[index].deletes, all.deletes)
            }
            frame.total.puts += frame.rates[index].puts
            frame.total.deletes += frame.rates[index].deletes
        }
    }

    private static func next(_ snapshot: QueueSnapshot, after last: Frame?) -> Frame {
        var frame = Frame(snapshot: snapshot)
        guard let last else {
            frame.own = Array(repeating: Frame.Rate(), count: snapshot.tubes.count)
            frame.rates = frame.own
            return frame
        }
        frame.number = last.number + 1
        let seconds = max(0.001, (frame.taken - last.taken) / .seconds(1))
        let weight = min(1, seconds / memory)
        // Tubes keep their places, mostly. Where they do not, they are found by their names.
        var places: [TubeName: Int]?
        func place(_ index: Int, _ name: TubeName) -> Int? {
            if index < last.snapshot.tubes.count, last.snapshot.tubes[index].name == name { return index }
            if places == nil {
                places = Dictionary(
                    last.snapshot.tubes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
            }
            return places?[name]
        }
        frame.own.reserveCapacity(snapshot.tubes.count)
        for (index, tube) in snapshot.tubes.enumerated() {
            // A new tube has counted since it came into being.
            let before = place(index, tube.name)
            let old = before.map { last.snapshot.tubes[$0].activity } ?? TubeActivity()
            var rate = before.map { last.own[$0] } ?? Frame.Rate()
            rate.puts = mix(rate.puts, grown(old.puts, tube.activity.puts) / seconds, weight)
            rate.deletes = mix(rate.deletes, grown(old.deletes, tube.activity.deletes) / seconds, weight)
            frame.own.append(rate)
            frame.total.puts += rate.puts
            frame.total.deletes += rate.deletes
        }
        frame.rates = frame.own
        return frame
    }

    /// A tube that has been removed and made anew counts from 0.
    private static func grown(_ old: UInt64, _ new: UInt64) -> Double { new < old ? Double(new) : Double(new - old) }

    private static func mix(_ old: Double, _ new: Double, _ weight: Double) -> Double {
        let mixed = old + (new - old) * weight
        return mixed < 0.005 ? 0 : mixed
    }
}
