import Foundation
import NIOCore
import PostgresStore
import QueueCore
import Synchronization

/// Takes an outline of the queue at most once a second, however many look, and sends what is made of it to all viewers.
///
/// One task wakes each second while there are viewers. It makes what each of them sees once for all that see the same. So
/// that rates are known as soon as somebody looks, it also takes an outline every 5 s while nobody does.
final class LiveView: Sendable {
    /// A frame serves for so long.
    private static let lifetime = Duration.milliseconds(900)
    private static let idleInterval = Duration.seconds(5)
    /// Answers that are kept for a frame.
    private static let answerLimit = 100

    private struct State {
        var frame: Frame?
        var gone = GoneTubes()
        var answers: [String: ByteBuffer] = [:]
        /// What other brokers do too, if there are any, as the samples tell.
        var sampled: [TubeName: Frame.Rate] = [:]
        var sampledAt: ContinuousClock.Instant?
        var readSamples: ReadSamples?
    }

    typealias ReadSamples = @Sendable () async throws -> [TubeName: Frame.Rate]

    private let broker: any BrokerView
    private let state = Mutex(State())
    private let audience = Audience()
    private let ticker = Mutex<Task<Void, Never>?>(nil)

    init(_ broker: any BrokerView) {
        self.broker = broker
    }

    func start() {
        let task = Task { [weak self] in
            while let interval = self?.interval, (try? await Task.sleep(for: interval)) != nil { self?.tick() }
        }
        ticker.withLock { $0 = task }
    }

    /// - Parameter samples: Reads the rates of the whole queue.
    func use(_ samples: @escaping ReadSamples) { state.withLock { $0.readSamples = samples } }

    func stop() {
        ticker.withLock { $0 }?.cancel()
        audience.leave()
    }

    private func tick() { audience.show(frame()) }

    /// The time to the next second of the clock while somebody looks.
    private var interval: Duration {
        if audience.count == 0 { return LiveView.idleInterval }
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1000) % 1000
        return .milliseconds(1000 - milliseconds)
    }

    /// How many watch.
    var viewers: Int { audience.count }

    /// What `make` makes of each frame, the newest one first. Viewers with the same key share it.
    func watch(_ key: String, _ make: @escaping Audience.Make) -> AsyncStream<ByteBuffer> {
        audience.join(key, make, first: make(frame()))
    }

    /// The newest frame, which is at most a second old.
    func frame() -> Frame {
        state.withLock { current(&$0) }
    }

    /// An answer that is made once for each frame and key, for all who ask.
    func answer(_ key: String, _ make: (Frame) throws -> ByteBuffer) rethrows -> ByteBuffer {
        let (frame, known) = state.withLock { state in
            let frame = current(&state)
            return (frame, state.answers[key])
        }
        if let known { return known }
        let bytes = try make(frame)
        state.withLock { state in
            guard state.frame?.number == frame.number, state.answers.count < LiveView.answerLimit else { return }
            state.answers[key] = bytes
        }
        return bytes
    }

    /// Whether a tube was there a moment ago.
    func remembers(_ tube: TubeName) -> Bool { state.withLock { $0.gone.contains(tube) } }

    private func current(_ state: inout State) -> Frame {
        if let frame = state.frame, .now - frame.taken < LiveView.lifetime { return frame }
        let outline = broker.outline()
        state.gone.learn(outline.tubes, after: state.frame)
        var frame = Frame(outline, gone: state.gone.names, after: state.frame)
        let store = broker.storeSnapshot()
        frame.learn(store?.oldestReady)
        frame.storeReason = store?.reason
        frame.add(sampled: sampled(&state, peers: outline.queue.peers))
        state.frame = frame
        state.answers = [:]
        return frame
    }

    /// What the samples tell, which are read every 5 s if there are other brokers.
    private func sampled(_ state: inout State, peers: Int) -> [TubeName: Frame.Rate] {
        guard peers > 0, let read = state.readSamples else {
            state.sampled = [:]
            return [:]
        }
        if state.sampledAt.map({ .now - $0 > .seconds(5) }) ?? true {
            state.sampledAt = .now
            Task { [weak self] in
                guard let rates = try? await read() else { return }
                self?.state.withLock { $0.sampled = rates }
            }
        }
        return state.sampled
    }
}
