/// The load that a run puts on a server.
public struct Load: Sendable {
    /// When the workers begin.
    public enum Mode: String, Sendable {
        /// Puts and reserves at the same time.
        case live
        /// First all puts, then all reserves.
        case phase

        /// - Throws: `LoadFailure` unless `text` is the name of a mode.
        public init(parsing text: String) throws(LoadFailure) {
            guard let mode = Mode(rawValue: text) else { throw LoadFailure("--mode takes live or phase.") }
            self = mode
        }
    }

    /// Connections that put, 0 or more. Without producers nothing is put, and a run keeps its other connections open
    /// for `limit` seconds, unless it drains.
    public var producers = 16
    /// Connections that reserve and delete, 0 or more.
    public var workers = 16
    /// Puts in flight per producer, 1 to 10,000.
    public var depth = 1
    /// Jobs in each run, 1 to 100 million. Each takes 9 bytes of memory here.
    public var jobs = 100_000
    /// Bytes of a body, 48 to 64 MiB.
    public var body = 200
    /// Tubes that the jobs are spread over, 1 to 10,000.
    public var tubes = 1
    /// When the workers begin.
    public var mode = Mode.live
    /// Puts per second over all producers. `nil`: as many as possible.
    public var rate: Double?
    /// Seconds that a run may take, up to an hour.
    public var limit = 60.0
    /// Further connections, which send nothing.
    public var idle = 0
    /// Whether a connection asks for statistics during the run.
    public var stats = false
    /// The priority of all puts.
    public var priority: UInt32 = 1024
    /// Seconds that a worker has for a job, 1 or more.
    public var ttr: UInt32 = 60
    /// The tube, or the prefix of the names of several. `nil`: a random name.
    public var tube: String?
    /// Whether the run leaves its jobs in the server; only without workers.
    public var keeps = false
    /// Whether the workers take the jobs that an earlier run with `keeps` has left in `tube`; only without producers.
    public var drains = false

    /// A load with the defaults of the command line.
    public init() {}

    /// - Throws: `LoadFailure` about the first value that is out of its limits.
    public func check() throws(LoadFailure) {
        try require(0...65_536 ~= producers, "--producers takes 0 to 65536.")
        try require(0...65_536 ~= workers, "--workers takes 0 to 65536.")
        try require(1...10_000 ~= depth, "--depth takes 1 to 10000.")
        try require(1...100_000_000 ~= jobs, "--jobs takes 1 to 100000000.")
        try require(JobBody.minimumSize...(64 << 20) ~= body, "--body takes 48 bytes to 64 MiB.")
        try require(1...10_000 ~= tubes, "--tubes takes 1 to 10000.")
        try require(rate.map { $0 > 0 && $0 <= 10_000_000 } ?? true, "--rate takes puts per second, more than 0.")
        try require(limit > 0 && limit <= 3600, "--limit takes seconds, more than 0 and at most 3600.")
        try require(0...65_536 ~= idle, "--idle takes 0 to 65536.")
        try require(ttr >= 1, "--ttr takes 1 second or more.")
        try require(!keeps || workers == 0, "--keep goes with --workers 0 only: workers delete the jobs.")
        try require(
            !drains || producers == 0 && workers > 0 && tube != nil,
            "--drain goes with --producers 0, workers, and the --tube that a run with --keep has filled.")
        guard let tube else { return }
        try require(Self.isName(tube), "--tube takes a tube's name of 1 to 190 bytes.")
        try require(
            workers == 0 || drains,
            "--tube goes with --workers 0 or --drain only: the tube may hold jobs of others, which workers would delete."
        )
    }

    /// The names of the tubes, which all begin with `name`.
    func tubeNames(_ name: String) -> [String] {
        tubes == 1 ? [name] : (0..<tubes).map { "\(name)-\($0)" }
    }

    /// Jobs that a run puts.
    var puts: Int { producers > 0 ? jobs : 0 }

    /// Jobs that a run puts or drains.
    var total: Int { drains ? jobs : puts }

    /// The name of the load in reports.
    var kind: String { drains ? "drain" : mode.rawValue }

    private func require(_ condition: Bool, _ sentence: String) throws(LoadFailure) {
        guard condition else { throw LoadFailure(sentence) }
    }

    /// Whether it is a valid tube name with 10 bytes to spare for a number.
    private static func isName(_ text: String) -> Bool {
        let others = "-+/;.$_()".utf8
        return 1...190 ~= text.utf8.count && text.utf8.first != UInt8(ascii: "-")
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
                    || scalar.isASCII && others.contains(UInt8(scalar.value))
            }
    }
}
