/// What a run has measured.
struct RunResult: Sendable {
    let jobs: Int
    /// Seconds from the first put to the last INSERTED; `nil` when nothing was put.
    var putSeconds: Double?
    /// Seconds to the last DELETED, from the first put or, in phases, from the first reserve; `nil` when nothing was
    /// deleted.
    var doneSeconds: Double?
    var seconds: Double
    /// The latencies of each kind, by its name in the report.
    var latencies: [(name: String, summary: LatencySummary)] = []
    /// Microseconds of CPU time per job of each process tree.
    var cpu: [(label: String, microseconds: Double)] = []

    var putsPerSecond: Double? { putSeconds.map { Double(jobs) / $0 } }
    var donePerSecond: Double? { doneSeconds.map { Double(jobs) / $0 } }

    init(jobs: Int, putSeconds: Double?, doneSeconds: Double?, seconds: Double) {
        self.jobs = jobs
        self.putSeconds = putSeconds
        self.doneSeconds = doneSeconds
        self.seconds = seconds
    }

    /// `workStart` is the time at which the workers began, `cpu` the CPU time in seconds of each process tree by its
    /// label.
    init(
        _ state: RunState, start: Nanoseconds, workStart: Nanoseconds, end: Nanoseconds,
        cpu: some Sequence<(String, Double)>
    ) {
        let firstPut = state.firstPut ?? start
        func span(_ start: Nanoseconds, _ end: Nanoseconds) -> Double { Double(max(end, start + 1) - start) / 1e9 }
        let jobs = state.ledger.jobs
        self.init(
            jobs: jobs,
            putSeconds: state.lastInserted.map { span(firstPut, $0) },
            doneSeconds: state.lastDeleted.map { span(state.load.mode == .phase ? workStart : firstPut, $0) },
            seconds: span(firstPut, state.lastDeleted ?? state.lastInserted ?? end))
        let latencies = state.latencies
        self.latencies = [
            ("put", latencies.put), ("reserved", latencies.reserved), ("delete", latencies.delete),
            ("stats", latencies.stats), ("stats_tube", latencies.statsTube),
        ].compactMap { name, values in values.summary.map { (name, $0) } }
        if jobs > 0 { self.cpu = cpu.map { ($0, $1 * 1e6 / Double(jobs)) } }
    }

    func latency(_ name: String) -> LatencySummary? {
        latencies.first { $0.name == name }?.summary
    }
}
