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

    /// The jobs that a drain has met.
    private var leftJobs = LeftJobs()
    /// Reserves that the server has not answered.
    private var reserves = 0

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
        ledger = Ledger(jobs: load.total)
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

    /// Whether every job has been put.
    var isEachPut: Bool { ledger.acknowledged == load.puts }

    /// Whether there is a job for one more reserve. A drain leaves what is beyond its number of jobs to the next one.
    var wantsReserve: Bool {
        !isEnding && ledger.delivered + (load.drains ? reserves : 0) < ledger.jobs
    }

    func asked() {
        reserves += 1
    }

    /// A reserve was answered without a job.
    func timedOut() {
        reserves -= 1
    }

    /// Checks a delivered job and returns its number in the ledger.
    func reserved(_ id: UInt64, _ bytes: UnsafeRawBufferPointer, at now: Nanoseconds) throws(LoadFailure) -> Int {
        reserves -= 1
        guard let job = body.read(bytes) else { throw corrupt(id) }
        guard !load.drains else {
            // How long it has been there says nothing about the server.
            let place = try leftJobs.take(job.sequence, of: job.run, id: id)
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
