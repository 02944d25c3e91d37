/// What the clients of a run share.
final class RunState {
    let load: Load
    let tubes: [String]
    let body: JobBody
    /// The line before each body.
    let putLine: [UInt8]

    var schedule = Schedule(jobs: 0, rate: nil, start: 0)
    var ledger: Ledger
    var latencies = Latencies()

    private(set) var isEnding = false

    /// Puts that the server would not have.
    var refused = 0

    private(set) var firstPut: Nanoseconds?
    private(set) var lastInserted: Nanoseconds?
    private(set) var lastDeleted: Nanoseconds?

    /// `tube`: the tube, or what the names of several begin with. `run`: a number that no other run has.
    init(_ load: Load, tube: String, run: UInt64) {
        self.load = load
        tubes = load.tubeNames(tube)
        body = JobBody(size: load.body, run: run)
        putLine = Array("put \(load.priority) 0 \(load.ttr) \(load.body)\r\n".utf8)
        ledger = Ledger(jobs: load.puts)
    }

    /// From now on there are jobs to put.
    func begin(at now: Nanoseconds) {
        schedule = Schedule(jobs: load.puts, rate: load.rate, start: now)
    }

    /// No more jobs are put or taken; what is under way goes on.
    func end() {
        schedule.close()
        isEnding = true
    }

    /// The next job that is due, and the time that it counts from.
    func nextPut(at now: Nanoseconds) -> (sequence: Int, time: Nanoseconds)? {
        guard let put = schedule.next(at: now) else { return nil }
        if put.sequence == 0 { firstPut = now }
        return put
    }

    func inserted(_ sequence: Int, id: UInt64, putAt time: Nanoseconds, at now: Nanoseconds) throws(LoadFailure) {
        try ledger.acknowledge(sequence, id: id)
        latencies.put.record(now - time)
        lastInserted = now
    }

    /// Checks a delivered job and returns its number.
    func reserved(_ id: UInt64, _ bytes: UnsafeRawBufferPointer, at now: Nanoseconds) throws(LoadFailure) -> Int {
        guard let (sequence, time) = body.read(bytes), time <= now else {
            throw LoadFailure("job \(id) is corrupt: its body is not the one that was put")
        }
        try ledger.deliver(sequence, id: id)
        latencies.reserved.record(now - time)
        return sequence
    }

    func deleted(_ sequence: Int, askedAt time: Nanoseconds, at now: Nanoseconds) {
        ledger.delete(sequence)
        latencies.delete.record(now - time)
        lastDeleted = now
    }
}
