/// A connection that puts, with up to `depth` puts in flight.
final class Producer: Client {
    private let state: RunState
    /// The index of the tube of the next put. Each producer cycles through its own share of the tubes, so all tubes are
    /// filled alike. If the number of producers is a multiple of the number of tubes, none changes its tube.
    private var tube: Int
    private var usedTube: Int?
    private var usesUnanswered = 0

    /// A ring buffer of the puts in flight.
    private var puts: [(sequence: Int, time: Nanoseconds)]
    private var oldest = 0
    private var inFlight = 0

    /// `index` is the number of this producer, from 0.
    init(_ state: RunState, index: Int) {
        self.state = state
        tube = index % state.tubes.count
        puts = Array(repeating: (0, 0), count: state.load.depth)
    }

    var isPrepared: Bool { usesUnanswered == 0 }
    var isAtRest: Bool { inFlight == 0 }

    func prepare(_ commands: inout ByteQueue) {
        use(&commands)
    }

    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {
        while inFlight < puts.count, let put = state.nextPut(at: now) {
            if tube != usedTube { use(&commands) }
            commands.append(state.putLine)
            state.body.append(put.sequence, at: put.time, to: &commands)
            commands.append("\r\n")
            puts[wrapped(oldest + inFlight)] = put
            inFlight += 1
            tube = (tube + state.load.producers) % state.tubes.count
        }
    }

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        switch reply {
        case .inserted(let id) where inFlight > 0:
            let put = puts[oldest]
            oldest = wrapped(oldest + 1)
            inFlight -= 1
            try state.inserted(put.sequence, id: id, putAt: put.time, at: now)
            proceed(at: now, &commands)
        case .using where usesUnanswered > 0:
            usesUnanswered -= 1
        default:
            if case .other = reply, inFlight > 0 { state.refused += 1 }
            throw reply.unexpected(to: "put")
        }
    }

    private func use(_ commands: inout ByteQueue) {
        commands.append("use ")
        commands.append(Array(state.tubes[tube].utf8))
        commands.append("\r\n")
        usedTube = tube
        usesUnanswered += 1
    }

    private func wrapped(_ index: Int) -> Int {
        index < puts.count ? index : index - puts.count
    }
}
