/// A server under load.
public struct Target: Sendable {
    public var address: Address
    /// The processes whose CPU time is measured during the runs.
    public var processes: [ProcessTree]

    /// - Parameters:
    ///   - address: The server.
    ///   - processes: Measured by CPU time; may be empty.
    public init(_ address: Address, processes: [ProcessTree] = []) {
        self.address = address
        self.processes = processes
    }
}

/// Runs of one load on one server, or on two servers in turn.
public struct Benchmark: Sendable {
    private let load: Load
    private let targets: [Target]
    private let rounds: Int
    private let tube: String

    /// - Parameters:
    ///   - load: Has passed `check`.
    ///   - targets: One or two servers.
    ///   - rounds: Runs on each server, 1 or more.
    public init(_ load: Load, on targets: [Target], rounds: Int) {
        precondition(1...2 ~= targets.count && rounds >= 1)
        self.load = load
        self.targets = targets
        self.rounds = rounds
        tube = load.tube ?? "bench-" + String(UInt32.random(in: .min ... .max), radix: 16)
    }

    /// Does all the runs. Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - stop: Ends the run from another thread.
    ///   - say: Takes a line of progress about once a second.
    /// - Returns: The figures of all runs.
    /// - Throws: `LoadFailure` when a server cannot be reached, loses or changes a job or delivers it twice, answers
    ///   wrongly, or is not done within the limit, and when `stop` is set. The jobs are deleted in these cases too.
    public func run(until stop: StopFlag, say: ((String) -> Void)? = nil) throws(LoadFailure) -> Report {
        allowManyFiles()
        var report = Report(load: load, servers: [])
        for target in targets {
            report.servers.append(.init(address: "\(target.address)", version: try Self.version(of: target.address)))
        }
        for _ in 0..<rounds {
            for (index, target) in targets.enumerated() {
                let run = try Run(load, target, tube: tube, stop: stop, say: say)
                report.servers[index].runs.append(try run())
                if load.keeps { say?("\(grouped(load.puts)) jobs are kept in \(target.address), tube \(tube)") }
            }
        }
        return report
    }

    private static func version(of address: Address) throws(LoadFailure) -> String {
        let driver = try Driver(address)
        let client = VersionReader()
        _ = try driver.connect(client)
        try driver.finishPreparing()
        return client.version ?? "unknown"
    }
}
