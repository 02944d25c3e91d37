/// The runs of a benchmark, with medians and ratios.
public struct Report: Sendable {
    struct Server: Sendable {
        let address: String
        /// From its `stats`.
        let version: String
        var runs: [RunResult] = []
    }

    /// A figure of each run; the report has its median.
    struct Figure: Sendable {
        let name: String
        let title: String
        let digits: Int
        let value: @Sendable (RunResult) -> Double?
    }

    let load: Load
    var servers: [Server]

    static let rates = [
        Figure(name: "puts_per_second", title: "puts/s", digits: 0) { $0.putsPerSecond },
        Figure(name: "done_per_second", title: "done/s", digits: 0) { $0.donePerSecond },
    ]

    static let latencies = [
        latency("put", "p50", \.p50), latency("put", "p99", \.p99),
        latency("reserved", "p50", \.p50), latency("reserved", "p99", \.p99),
        latency("delete", "p99", \.p99),
    ]

    static let statistics = [
        latency("stats", "p50", \.p50), latency("stats", "p99", \.p99),
        latency("stats_tube", "p50", \.p50), latency("stats_tube", "p99", \.p99),
    ]

    /// The CPU time per job of each measured process, of all servers.
    var cpu: [Figure] {
        var labels: [String] = []
        for label in servers.flatMap({ $0.runs.first?.cpu.map(\.label) ?? [] }) where !labels.contains(label) {
            labels.append(label)
        }
        return labels.map { label in
            Figure(name: label, title: "\(label) CPU us/job", digits: 1) { run in
                run.cpu.first { $0.label == label }?.microseconds
            }
        }
    }

    private static func latency(
        _ name: String, _ percentile: String, _ value: @escaping @Sendable (LatencySummary) -> Double
    ) -> Figure {
        Figure(name: "\(name)_\(percentile)_ms", title: "\(name) \(percentile) ms", digits: 3) {
            $0.latency(name).map(value)
        }
    }

    /// The median over a server's runs; `nil` when the figure was not measured.
    func median(_ figure: Figure, of server: Server) -> Double? {
        LoadGenerator.median(server.runs.compactMap(figure.value))
    }

    /// The first server over the second: the median of the ratios of paired rounds, since a disturbance of the machine
    /// mostly affects both runs of a round. `nil` with one server.
    func ratio(_ figure: Figure) -> Double? {
        guard servers.count == 2 else { return nil }
        let ratios = zip(servers[0].runs, servers[1].runs).compactMap { first, second -> Double? in
            guard let first = figure.value(first), let second = figure.value(second), second > 0 else { return nil }
            return first / second
        }
        return LoadGenerator.median(ratios)
    }
}
