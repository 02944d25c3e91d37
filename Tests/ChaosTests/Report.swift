/// The results of a run.
struct Report: Sendable {
    struct FaultFigures: Sendable {
        var count = 0
        /// The most seconds until all brokers served again.
        var slowestRecovery = 0.0
    }

    var seed: UInt64
    var seconds = 0.0
    var faults: [Fault: FaultFigures] = [:]
    /// The faults that are not possible on this machine.
    var leftOut: [Fault] = []
    var counts = Recorder.Counts()
    /// How often a connection was cut around a commit.
    var cuts = 0
    /// Seconds until another broker gave out the jobs of a killed one.
    var handovers: [Double] = []
    /// The same for a broker whose last batch had reached the server in part.
    var losses: [Double] = []
    var violations: [Violation] = []
    /// The histories of the jobs in the violations, and the brokers' logs.
    var evidence: [String] = []

    var struck: Int { faults.values.reduce(0) { $0 + $1.count } }

    /// The closing table.
    var table: String {
        var lines = [row("fault", "times", "slowest recovery")]
        for fault in Fault.allCases {
            if let figures = faults[fault] {
                lines.append(row(fault.rawValue, "\(figures.count)", "\(seconds(figures.slowestRecovery))"))
            } else if leftOut.contains(fault) {
                lines.append(row(fault.rawValue, "LEFT OUT", "cannot be made here"))
            }
        }
        lines += [
            "",
            "seed \(seed): \(struck) faults in \(Int(seconds)) s, \(cuts) connections cut around a commit",
            "\(counts.inserted) jobs put, \(counts.deliveries) deliveries, \(counts.deleted) deleted, "
                + "\(counts.connections) connections of clients",
            "longest time without a delivery: \(seconds(counts.longestPause))",
            "a killed broker's jobs were given out by another after at most \(seconds(handovers.max() ?? 0)), "
                + "one's with half a batch open after at most \(seconds(losses.max() ?? 0))",
            "\(violations.count) violations",
        ]
        return lines.joined(separator: "\n")
    }

    /// The details of all violations; empty if there were none.
    var details: String {
        (violations.map(\.description) + evidence).map { $0 + "\n\n" }.joined()
    }

    private func row(_ name: String, _ count: String, _ recovery: String) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return padded(name, 40) + padded(count, 10) + recovery
    }

    private func seconds(_ value: Double) -> String {
        "\((value * 100).rounded() / 100) s"
    }
}
