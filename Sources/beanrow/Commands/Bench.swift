import ArgumentParser
import LoadGenerator
import LogKeys
import UnixSignals

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a load on a server that speaks beanstalkd's protocol; check and measure its work.",
        discussion: """
            The jobs go into tubes of the benchmark's own and are deleted afterwards, unless --keep is given. Every \
            delivery is checked: a job that was lost, delivered twice or changed ends the benchmark with status 1.
            """)

    @Argument(
        help: ArgumentHelp(
            "IP:PORT, [IPv6]:PORT or unix:PATH. Of several servers that share their jobs each client takes the next.",
            valueName: "address"),
        transform: { text in try checked { try Address(parsing: text) } })
    var addresses = [Bench.beanstalkd]

    @Option(
        name: .customLong("workers-at"),
        help: ArgumentHelp(
            "Another server with the same jobs, for the workers; may be repeated.", valueName: "address"),
        transform: { text in try checked { try Address(parsing: text) } })
    var workersAt: [Address] = []

    @Option(
        name: .customLong("vs"),
        help: ArgumentHelp(
            "A server to compare with: the runs alternate, and the report has the ratios.", valueName: "address"),
        transform: { text in try checked { try Address(parsing: text) } })
    var other: Address?

    @Option(help: ArgumentHelp("Connections that put.", valueName: "count"))
    var producers = 16

    @Option(help: ArgumentHelp("Connections that reserve and delete; 0: only put.", valueName: "count"))
    var workers = 16

    @Option(help: ArgumentHelp("Puts in flight per producer.", valueName: "count"))
    var depth = 1

    @Option(help: ArgumentHelp("Jobs in each run.", valueName: "count"))
    var jobs = 100_000

    @Option(help: ArgumentHelp("Size of a body, 48 or more.", valueName: "bytes"))
    var body = 200

    @Option(help: ArgumentHelp("Tubes that the jobs are spread over; every worker watches all.", valueName: "count"))
    var tubes = 1

    @Option(
        help: ArgumentHelp("live: put and work at once. phase: all puts, then all reserves.", valueName: "mode"),
        transform: { text in try checked { try Load.Mode(parsing: text) } })
    var mode = Load.Mode.live

    @Option(
        help: ArgumentHelp(
            "Puts per second over all producers, each measured from its planned time (default: as many as possible).",
            valueName: "number"))
    var rate: Double?

    @Option(help: ArgumentHelp("A run that takes longer than this fails.", valueName: "seconds"))
    var limit = 60.0

    @Option(help: ArgumentHelp("Runs of each server (default: 1, with --vs 3).", valueName: "count"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Further connections, which send nothing.", valueName: "count"))
    var idle = 0

    @Flag(help: "Send stats and stats-tube in turn every 10 ms, and measure them.")
    var stats = false

    @Option(help: ArgumentHelp("The priority of all puts.", valueName: "number"))
    var priority: UInt32 = 1024

    @Option(help: ArgumentHelp("The time to run of all puts.", valueName: "seconds"))
    var ttr: UInt32 = 60

    @Option(
        help: ArgumentHelp(
            "The tube, or the prefix of the names of several (default: random); with --workers 0 or --drain.",
            valueName: "name"))
    var tube: String?

    @Flag(help: "With --workers 0: leave the jobs in the server.")
    var keep = false

    @Flag(help: "With --producers 0 and --tube: work off the jobs that a run with --keep and the same --body has left.")
    var drain = false

    @Option(
        help: ArgumentHelp(
            "Measure the CPU time per job of this process and its descendants; may be repeated.", valueName: "label=pid"
        ),
        transform: { text in try checked { try ProcessTree(parsing: text) } })
    var cpu: [ProcessTree] = []

    @Option(
        help: ArgumentHelp("As --cpu, for the server of --vs.", valueName: "label=pid"),
        transform: { text in try checked { try ProcessTree(parsing: text) } })
    var vsCpu: [ProcessTree] = []

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    @Flag(help: "No progress on standard error.")
    var quiet = false

    func validate() throws {
        try checked { try load.check() }
        guard (1...1000).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to 1000.") }
        guard vsCpu.isEmpty || other != nil else { throw ValidationError("--vs-cpu needs --vs.") }
    }

    func run() async throws {
        let stop = StopFlag()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let watch = Task {
            for await _ in signals { stop.set() }
        }
        defer { watch.cancel() }
        let target = Target(addresses, workersAt: workersAt, processes: cpu)
        let targets = [target] + (other.map { [Target([$0], processes: vsCpu)] } ?? [])
        let benchmark = Benchmark(load, on: targets, rounds: rounds ?? (other == nil ? 1 : 3))
        let say: (@Sendable (String) -> Void)? = quiet ? nil : tell
        do {
            let report = try await onThread { try benchmark.run(until: stop, say: say) }
            print(json ? report.json : report.table)
        } catch let failure as LoadFailure {
            tell("beanrow bench: \(failure)")
            throw Failure(status: .failure)
        }
    }

    private var load: Load {
        var load = Load()
        load.producers = producers
        load.workers = workers
        load.depth = depth
        load.jobs = jobs
        load.body = body
        load.tubes = tubes
        load.mode = mode
        load.rate = rate
        load.limit = limit
        load.idle = idle
        load.stats = stats
        load.priority = priority
        load.ttr = ttr
        load.tube = tube
        load.keeps = keep
        load.drains = drain
        return load
    }

    private static let beanstalkd = Address.ip("127.0.0.1", port: 11300)
}

/// Runs `body`. A `LoadFailure` becomes an error of the command line.
private func checked<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let failure as LoadFailure {
        throw ValidationError("\(failure)")
    }
}

@Sendable private func tell(_ line: String) {
    StandardError.say(line)
}
