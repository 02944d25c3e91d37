/// A server that a load is put on.
public struct Target: Sendable {
    public var address: Address
    /// Whose CPU is measured during the runs.
    public var processes: [ProcessTree]

    /// Without processes no CPU is measured.
    public init(_ address: Address, processes: [ProcessTree] = []) {
        self.address = address
        self.processes = processes
    }
}

/// The same load on one server, or on two by turns.
public struct Benchmark: Sendable {
    private let load: Load
    private let targets: [Target]
    private let rounds: Int
    private let tube: String

    /// - Parameters:
    ///   - load: What was checked before.
    ///   - targets: One or two.
    ///   - rounds: Runs of each, 1 or more.
    public init(_ load: Load, on targets: [Target], rounds: Int) {
        precondition(1...2 ~= targets.count && rounds >= 1)
        self.load = load
        self.targets = targets
        self.rounds = rounds
        tube = load.tube ?? "bench-" + String(UInt32.random(in: .min ... .max), radix: 16)
    }

    /// Does all the runs, on the calling thread, which they block.
    ///
    /// It fails with a sentence when a server cannot be reached, loses, doubles or changes a job, answers what it must
    /// not, or is not done within the limit; and when `stop` is set. Then too the jobs are deleted. `say` takes a line
    /// about once a second.
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
