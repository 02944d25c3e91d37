extension Report {
    /// One JSON object on one line. Rates that were not measured are null; latencies that were not measured are absent.
    public var json: String {
        JSON.object([
            ("version", .integer(1)),
            ("load", loadJSON),
            ("servers", .array(servers.map(serverJSON))),
            ("ratios", ratiosJSON),
        ]).text
    }

    private var loadJSON: JSON {
        .object([
            ("producers", .integer(load.producers)), ("workers", .integer(load.workers)),
            ("depth", .integer(load.depth)), ("jobs", .integer(load.total)), ("body", .integer(load.body)),
            ("tubes", .integer(load.tubes)), ("mode", .string(load.kind)), ("rate", JSON(load.rate)),
            ("idle", .integer(load.idle)),
        ])
    }

    private func serverJSON(_ server: Server) -> JSON {
        let rates = Self.rates.map { ($0.name, JSON(median($0, of: server))) }
        let latencies = Self.latencies.compactMap { figure in
            median(figure, of: server).map { (figure.name, JSON.number($0)) }
        }
        return .object([
            ("address", .string(server.address)), ("version", .string(server.version)),
            ("runs", .array(server.runs.map(runJSON))), ("median", .object(rates + latencies)),
        ])
    }

    private func runJSON(_ run: RunResult) -> JSON {
        .object([
            ("put_seconds", JSON(run.putSeconds)), ("puts_per_second", JSON(run.putsPerSecond)),
            ("done_seconds", JSON(run.doneSeconds)), ("done_per_second", JSON(run.donePerSecond)),
            ("seconds", .number(run.seconds)),
            ("latency_ms", .object(run.latencies.map { ($0.name, latencyJSON($0.summary)) })),
            ("cpu_us_per_job", .object(run.cpu.map { ($0.label, .number($0.microseconds)) })),
        ])
    }

    private func latencyJSON(_ latency: LatencySummary) -> JSON {
        .object([
            ("p50", .number(latency.p50)), ("p90", .number(latency.p90)), ("p99", .number(latency.p99)),
            ("p999", .number(latency.p999)), ("max", .number(latency.max)), ("mean", .number(latency.mean)),
            ("count", .integer(latency.count)),
        ])
    }

    private var ratiosJSON: JSON {
        servers.count == 2 ? .object(Self.rates.map { ($0.name, JSON(ratio($0))) }) : .null
    }
}
