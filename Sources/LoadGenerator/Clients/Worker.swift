/// A connection that reserves and deletes one job after the other.
final class Worker: Client {
    private enum Step {
        case resting
        case reserving(Expectation?)
        case deleting(sequence: Int, since: Nanoseconds)
    }

    /// A reserve that was sent after the last put was acknowledged, when `delivered` jobs had been delivered.
    private struct Expectation {
        let delivered: Int
    }

    private let state: RunState
    private var step = Step.resting
    private var watchesUnanswered = 0

    init(_ state: RunState) {
        self.state = state
    }

    var isPrepared: Bool { watchesUnanswered == 0 }

    /// A reserve may be outstanding: the server cancels it when the connection is closed.
    var isAtRest: Bool {
        if case .deleting = step { false } else { true }
    }

    func prepare(_ commands: inout ByteQueue) {
        for tube in state.tubes {
            commands.append("watch ")
            commands.append(Array(tube.utf8))
            commands.append("\r\n")
        }
        commands.append("ignore default\r\n")
        watchesUnanswered = state.tubes.count + 1
    }

    func proceed(at now: Nanoseconds, _ commands: inout ByteQueue) {
        guard case .resting = step, state.wantsReserve else { return }
        commands.append("reserve-with-timeout 5\r\n")
        state.reserveSent()
        step = .reserving(state.areAllPut ? Expectation(delivered: state.ledger.delivered) : nil)
    }

    func take(_ reply: Reply, at now: Nanoseconds, _ commands: inout ByteQueue) throws(LoadFailure) {
        switch (step, reply) {
        case (.reserving, .reserved(let id, let body)):
            let sequence = try state.reserved(id, body, at: now)
            commands.append("delete ")
            commands.append(id)
            commands.append("\r\n")
            step = .deleting(sequence: sequence, since: now)
        case (.deleting(let sequence, let since), .deleted):
            state.deleted(sequence, askedAt: since, at: now)
            step = .resting
            proceed(at: now, &commands)
        case (.reserving(let expectation), .timedOut):
            try check(expectation)
            state.reserveTimedOut()
            step = .resting
            proceed(at: now, &commands)
        case (.resting, .watching) where watchesUnanswered > 0:
            watchesUnanswered -= 1
        case (.deleting, _):
            throw reply.unexpected(to: "delete")
        default:
            throw reply.unexpected(to: "reserve-with-timeout")
        }
    }

    /// Fails if jobs are lost: all were acknowledged, some were not delivered, and no worker got one during a whole
    /// reserve.
    private func check(_ expectation: Expectation?) throws(LoadFailure) {
        let ledger = state.ledger
        guard let expectation, expectation.delivered == ledger.delivered, ledger.delivered < ledger.jobs else { return }
        let missing = "\(ledger.jobs - ledger.delivered) of \(ledger.jobs) jobs"
        throw LoadFailure(
            state.load.drains
                ? "\(missing) are missing: no worker got one within 5 s"
                : "\(missing) are lost: they were acknowledged, but no worker got one within 5 s")
    }
}
