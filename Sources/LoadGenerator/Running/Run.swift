/// One run on one target: connects, drives and measures. `Run+Cleanup` deletes what is left.
final class Run {
    let load: Load
    let tube: String
    let state: RunState
    let driver: Driver
    let target: Target
    private let stop: StopFlag
    private let progress: ProgressLine
    private var producers: [Connection] = []
    private var workers: [Connection] = []
    private var stats: (client: StatsReader, connection: Connection)?
    /// The producer that gets the next planned put: each in turn.
    private var nextProducer = 0
    /// The time at which `drive` checks for the end even if nothing has arrived.
    private var nextTick: Nanoseconds = 0

    private static let tick: Nanoseconds = 100_000_000

    /// `tube` is the tube, or the prefix of the names of several.
    init(
        _ load: Load, _ target: Target, tube: String, stop: StopFlag, say: ((String) -> Void)?
    ) throws(LoadFailure) {
        self.load = load
        self.target = target
        self.tube = tube
        self.stop = stop
        progress = ProgressLine(load, say)
        state = RunState(load, tube: tube, run: .random(in: .min ... .max))
        driver = try Driver()
    }

    func callAsFunction() throws(LoadFailure) -> RunResult {
        let result: RunResult
        do {
            result = try measure()
        } catch {
            disconnect()
            throw cleanUp(after: error)
        }
        try eraseUnworked()
        return result
    }

    // MARK: The run

    private func measure() throws(LoadFailure) -> RunResult {
        try connect()
        let cpuBefore = try cpuSeconds()
        let start = monotonicTime()
        let end = start + Nanoseconds(load.limit * 1e9)
        state.begin(at: start)
        var workStart = start
        if load.mode == .live { try begin(workers) }
        try begin(producers)
        if load.total == 0 { try drive(until: .max, while: monotonicTime() < end) }
        try drive(until: end, while: !state.areAllPut)
        if load.mode == .phase {
            workStart = monotonicTime()
            try begin(workers)
        }
        if load.workers > 0 { try drive(until: end, while: state.ledger.deleted < state.ledger.jobs) }
        let cpu = zip(cpuBefore, try cpuSeconds()).map { $1 - $0 }
        let labels = target.processes.map(\.label)
        return RunResult(state, start: start, workStart: workStart, end: monotonicTime(), cpu: zip(labels, cpu))
    }

    private func connect() throws(LoadFailure) {
        let addresses = target.addresses
        for index in 0..<load.idle { _ = try driver.connect(Idler(), to: addresses.inTurn(index)) }
        for index in 0..<load.workers {
            workers.append(try driver.connect(Worker(state), to: target.workerAddresses.inTurn(index)))
        }
        for index in 0..<load.producers {
            producers.append(try driver.connect(Producer(state, index: index), to: addresses.inTurn(index)))
        }
        if load.stats {
            let client = StatsReader(state)
            stats = (client, try driver.connect(client, to: addresses[0]))
        }
        try driver.finishPreparing()
    }

    private func disconnect() {
        (producers, workers, stats) = ([], [], nil)
    }

    private func begin(_ connections: [Connection]) throws(LoadFailure) {
        for connection in connections { try connection.proceed(at: monotonicTime()) }
    }

    private func cpuSeconds() throws(LoadFailure) -> [Double] {
        var seconds: [Double] = []
        for process in target.processes { seconds.append(try process.cpuSeconds()) }
        return seconds
    }

    // MARK: Time

    private func drive(
        until end: Nanoseconds, while isUnfinished: @autoclosure () -> Bool
    ) throws(LoadFailure) {
        while isUnfinished() {
            let now = monotonicTime()
            guard !stop.isSet else { throw LoadFailure("interrupted \(progressText)") }
            guard now < end else { throw LoadFailure("not done in \(plain(load.limit)) s: stopped \(progressText)") }
            if now >= nextTick {
                nextTick = now + Self.tick
                progress.tell(state, at: now)
            }
            try driver.step(until: try doPlanned(now))
        }
    }

    /// How far the run has come, for failures.
    private var progressText: String {
        let (jobs, deleted) = (grouped(state.ledger.jobs), grouped(state.ledger.deleted))
        guard !load.drains else { return "after \(deleted) of \(jobs) jobs were done" }
        let done = load.workers > 0 ? " and \(deleted) done" : ""
        return "after \(grouped(state.ledger.acknowledged)) of \(jobs) jobs were put\(done)"
    }

    /// Sends the commands whose time has come.
    /// - Returns: The time of the next one.
    private func doPlanned(_ now: Nanoseconds) throws(LoadFailure) -> Nanoseconds {
        var next = nextTick
        if let time = state.schedule.nextTime {
            if time <= now { try offerPuts(now) }
            // A put that is still due waits for a producer, and so for an answer.
            if let time = state.schedule.nextTime, time > now { next = min(next, time) }
        }
        if let stats {
            if let time = stats.client.nextTime, time <= now { try stats.connection.proceed(at: now) }
            if let time = stats.client.nextTime { next = min(next, time) }
        }
        return next
    }

    private func offerPuts(_ now: Nanoseconds) throws(LoadFailure) {
        for _ in producers.indices {
            guard let time = state.schedule.nextTime, time <= now else { return }
            try producers[nextProducer].proceed(at: now)
            nextProducer = (nextProducer + 1) % producers.count
        }
    }
}

extension [Address] {
    /// The address of the client with this number.
    func inTurn(_ client: Int) -> Address { self[client % count] }
}
