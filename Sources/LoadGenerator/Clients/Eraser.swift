/// A connection that deletes jobs by their ids, many at once.
final class Eraser: Client {
    /// Deletes in flight.
    private static let window = 500

    private let state: RunState
    private var waiting: ArraySlice<Int>
    private var inFlight: [Int] = []
    private var answered = 0
    /// Jobs that the server did not have.
    private(set) var missing: [Int] = []

    /// `sequences` are the jobs to delete. Their ids are known.
    init(_ state: RunState, _ sequences: [Int]) {
        self.state = state
        waiting = sequences[...]
    }

    let isPrepared = true
    var isAtRest: Bool { answered == inFlight.count }

    func prepare(_ commands: inout ByteQueue) {
        proceed(at: 0, &commands)
    }

    /// Sends the next deletes after the last ones have been answered.
    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {
        guard isAtRest else { return }
        inFlight = Array(waiting.prefix(Self.window))
        waiting = waiting.dropFirst(Self.window)
        answered = 0
        for sequence in inFlight {
            commands.append("delete ")
            commands.append(state.ledger.id(sequence))
            commands.append("\r\n")
        }
    }

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        guard !isAtRest else { throw reply.unexpected(to: "nothing") }
        switch reply {
        case .deleted: state.ledger.delete(inFlight[answered])
        case .notFound: missing.append(inFlight[answered])
        default: throw reply.unexpected(to: "delete")
        }
        answered += 1
        proceed(at: now, &commands)
    }
}
