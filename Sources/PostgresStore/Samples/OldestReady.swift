public import QueueCore
import Synchronization

/// When the jobs became ready that have been ready for the longest time, as the last samples tell. The ages are known to
/// about ten seconds: a job that has become the oldest since then is not.
final class OldestReady: Sendable {
    private struct State: Sendable {
        var tubes: [String: Int64] = [:]
        /// The database's clock less this broker's monotonic one, in microseconds.
        var offset: Int64 = 0
    }

    private let state = Mutex(State())

    /// Microseconds since 1970 by the database's clock, by the name of the tube; the empty name stands for all.
    func learn(_ tubes: [String: Int64]) { state.withLock { $0.tubes = tubes } }

    func learn(clock: Int64, at now: Instant) { state.withLock { $0.offset = clock - now.nanoseconds / 1000 } }

    func ages(at now: Instant) -> OldestReadyAges {
        state.withLock { OldestReadyAges(tubes: $0.tubes, clock: now.nanoseconds / 1000 + $0.offset) }
    }
}

/// How long the oldest ready jobs have been ready.
public struct OldestReadyAges: Sendable {
    fileprivate var tubes: [String: Int64] = [:]
    fileprivate var clock: Int64 = 0

    /// Seconds; `nil` if the tube has no ready job, or if it is not known.
    public func seconds(of tube: TubeName) -> Double? { seconds(tube.description) }

    /// The oldest of all tubes that are not paused.
    public var seconds: Double? { seconds("") }

    private func seconds(_ tube: String) -> Double? { tubes[tube].map { Double(max(0, clock - $0)) / 1e6 } }
}
