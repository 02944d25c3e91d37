/// A connection that sends `stats` and `stats-tube` in turn.
final class StatsReader: Client {
    private static let interval: Nanoseconds = 10_000_000

    private let state: RunState
    private var nextIsTube = false
    private var askedAt: Nanoseconds?
    private var lastAskedAt: Nanoseconds = 0

    init(_ state: RunState) {
        self.state = state
    }

    let isPrepared = true
    let isAtRest = true

    /// The time of the next command; `nil` while an answer is outstanding.
    var nextTime: Nanoseconds? { askedAt == nil ? lastAskedAt + Self.interval : nil }

    func prepare(_ commands: inout ByteQueue) {}

    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {
        guard let nextTime, nextTime <= now else { return }
        if nextIsTube {
            commands.append("stats-tube ")
            commands.append(Array(state.tubes[0].utf8))
            commands.append("\r\n")
        } else {
            commands.append("stats\r\n")
        }
        askedAt = now
        lastAskedAt = now
    }

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        switch reply {
        case .ok where askedAt != nil, .notFound where askedAt != nil && nextIsTube:
            let latency = now - askedAt!
            if nextIsTube {
                state.latencies.statsTube.record(latency)
            } else {
                state.latencies.stats.record(latency)
            }
            nextIsTube.toggle()
            askedAt = nil
        default:
            throw reply.unexpected(to: nextIsTube ? "stats-tube" : "stats")
        }
    }
}
