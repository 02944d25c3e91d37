/// The state that the clients of a run share.
final class RunState {
    let load: Load
    let tubes: [String]
    let body: JobBody
    /// The command line before each body.
    let putLine: [UInt8]

    var schedule = Schedule(jobs: 0, rate: nil, start: 0)
    var ledger: Ledger
    var latencies = Latencies()

    /// The jobs that a drain has found.
    private var drainedJobs = DrainedJobs()
    /// Reserves that the server has not answered.
    private var reserves = 0

    private(set) var isEnding = false

    /// Puts that the server has refused.
    var refused = 0

    private(set) var firstPut: Nanoseconds?
    private(set) var lastInserted: Nanoseconds?
    private(set) var lastDeleted: Nanoseconds?

    /// `tube` is the tube, or the prefix of the names of several. `run` is a number that no other run has.
    init(_ load: Load, tube: String, run: UInt64) {
        self.load = load
        tubes = load.tubeNames(tube)
        body = JobBody(size: load.body, run: run)
        putLine = Array("put \(load.priority) 0 \(load.ttr) \(load.body)\r\n".utf8)
        ledger = Ledger(jobs: load.total)
    }

    /// Begins the run: there are jobs to put.
    func begin(at now: Nanoseconds) {
        schedule = Schedule(jobs: load.puts, rate: load.rate, start: now)
    }

    /// Ends the run: no more jobs are put or reserved. Outstanding answers are still taken.
    func end() {
        schedule.close()
        isEnding = true
    }

    /// The next job that is due, and the time that its latency is measured from.
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

    /// Whether all puts have been acknowledged.
    var areAllPut: Bool { ledger.acknowledged == load.puts }

    /// Whether there is a job for one more reserve. A drain takes no more than its number of jobs.
    var wantsReserve: Bool {
        !isEnding && ledger.delivered + (load.drains ? reserves : 0) < ledger.jobs
    }

    func reserveSent() {
        reserves += 1
    }

    /// A reserve was answered without a job.
    func reserveTimedOut() {
        reserves -= 1
    }

    /// Checks a delivered job.
    /// - Returns: Its number in the ledger.
    /// - Throws: `LoadFailure` when the job is corrupt or was delivered before.
    func reserved(_ id: UInt64, _ bytes: UnsafeRawBufferPointer, at now: Nanoseconds) throws(LoadFailure) -> Int {
        reserves -= 1
        guard let job = body.read(bytes) else { throw corrupt(id) }
        guard !load.drains else {
            // Not measured: the time in the tube says nothing about the server.
            let place = try drainedJobs.take(job.sequence, of: job.run, id: id)
            try ledger.deliver(place, id: id)
            return place
        }
        guard job.run == body.run, job.time <= now else { throw corrupt(id) }
        try ledger.deliver(job.sequence, id: id)
        latencies.reserved.record(now - job.time)
        return job.sequence
    }

    func deleted(_ sequence: Int, askedAt time: Nanoseconds, at now: Nanoseconds) {
        ledger.delete(sequence)
        latencies.delete.record(now - time)
        lastDeleted = now
    }

    private func corrupt(_ id: UInt64) -> LoadFailure {
        LoadFailure("job \(id) is corrupt: its body is not the one that was put")
    }
}
