import Synchronization

/// Records the events of all threads.
final class Recorder: Sendable {
    struct Counts: Sendable {
        var inserted = 0
        var deliveries = 0
        var deleted = 0
        var connections = 0
        /// The most seconds between two deliveries.
        var longestPause = 0.0
    }

    private struct State {
        var events: [Event] = []
        var counts = Counts()
        var tokens = 0
        var lastDelivery: Double?

        mutating func count(_ what: Event.What, at time: Double) {
            switch what {
            case .got(.inserted):
                counts.inserted += 1
            case .got(.reserved):
                counts.deliveries += 1
                counts.longestPause = max(counts.longestPause, time - (lastDelivery ?? time))
                lastDelivery = time
            default: break
            }
        }
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    /// Seconds since the start of the run.
    var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    var counts: Counts { state.withLock { $0.counts } }

    var events: [Event] { state.withLock { $0.events } }

    /// The number of jobs that clients know and none has deleted.
    var backlog: Int { state.withLock { $0.counts.inserted - $0.counts.deleted } }

    func newToken() -> Int {
        state.withLock { state in
            state.tokens += 1
            return state.tokens
        }
    }

    func newConnection() -> Int {
        state.withLock { state in
            state.counts.connections += 1
            return state.counts.connections
        }
    }

    func note(_ connection: Int, _ what: Event.What) {
        note(at: now, connection, what)
    }

    func note(at time: Double, _ connection: Int, _ what: Event.What) {
        state.withLock { state in
            state.events.append(Event(time: time, connection: connection, what: what))
            state.count(what, at: time)
        }
    }

    /// Counts a deleted job. A recorded reply does not say which command it answers.
    func noteDeleted() {
        state.withLock { $0.counts.deleted += 1 }
    }
}
