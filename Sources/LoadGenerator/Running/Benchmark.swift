/// What is under load: a server, or several that serve the same jobs.
public struct Target: Sendable {
    /// Clients are connected to these in turn.
    public var addresses: [Address]
    /// The same for workers alone, if they are elsewhere.
    public var workerAddresses: [Address]
    /// The processes whose CPU time is measured during the runs.
    public var processes: [ProcessTree]

    /// - Parameters:
    ///   - addresses: One server, or several that serve the same jobs.
    ///   - workerAddresses: Where workers are connected; empty: where all clients are.
    ///   - processes: Measured by CPU time; may be empty.
    public init(_ addresses: [Address], workersAt workerAddresses: [Address] = [], processes: [ProcessTree] = []) {
        precondition(!addresses.isEmpty)
        self.addresses = addresses
        self.workerAddresses = workerAddresses.isEmpty ? addresses : workerAddresses
        self.processes = processes
    }

    /// All addresses, as a report names them.
    var name: String {
        var all = addresses
        for address in workerAddresses where !all.contains(address) { all.append(address) }
        return all.map(\.description).joined(separator: " ")
    }
}

/// Runs of one load on one server, or on two targets in turn.
public struct Benchmark: Sendable {
    private let load: Load
    private let targets: [Target]
    private let rounds: Int
    private let tube: String

    /// - Parameters:
    ///   - load: Has passed `check`.
    ///   - targets: One or two.
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
            report.servers.append(.init(address: target.name, version: try Self.version(of: target.addresses[0])))
        }
        for _ in 0..<rounds {
            for (index, target) in targets.enumerated() {
                let run = try Run(load, target, tube: tube, stop: stop, say: say)
                report.servers[index].runs.append(try run())
                if load.keeps { say?("\(grouped(load.puts)) jobs are kept in \(target.name), tube \(tube)") }
            }
        }
        return report
    }

    private static func version(of address: Address) throws(LoadFailure) -> String {
        let driver = try Driver()
        let client = VersionReader()
        _ = try driver.connect(client, to: address)
        try driver.finishPreparing()
        return client.version ?? "unknown"
    }
}
