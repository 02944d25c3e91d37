/// Prints the progress of a run once a second.
final class ProgressLine {
    private let say: ((String) -> Void)?
    private let load: Load
    private var last: (time: Nanoseconds, put: Int, done: Int)?

    private static let interval: Nanoseconds = 1_000_000_000

    /// `say` takes a line; `nil`: no progress is printed.
    init(_ load: Load, _ say: ((String) -> Void)?) {
        self.load = load
        self.say = say
    }

    func tell(_ state: RunState, at now: Nanoseconds) {
        let (put, done) = (state.ledger.acknowledged, state.ledger.deleted)
        guard let say, let last, now - last.time >= Self.interval else {
            if last == nil { last = (now, put, done) }
            return
        }
        let seconds = Double(now - last.time) / 1e9
        let isPutting = load.workers == 0 || load.mode == .phase && !state.areAllPut
        let rate = Double(isPutting ? put - last.put : done - last.done) / seconds
        let connections = "\(load.kind) \(load.producers)/\(load.workers)"
        let kind = isPutting ? "put" : "done"
        say("\(connections): \(grouped(put)) put, \(grouped(done)) done, \(grouped(rate)) \(kind)/s")
        self.last = (now, put, done)
    }
}
