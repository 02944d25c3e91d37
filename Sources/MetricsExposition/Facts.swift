public import QueueCore

/// All that one scrape tells.
public struct MetricsFacts: Sendable {
    public var queue = QueueSnapshot()
    /// This broker is the one that tells what the whole queue has. All others leave it out, so that a sum over brokers is
    /// right.
    public var tellsForAll = false
    /// Seconds that the oldest ready job of a tube has been ready. A tube without ready jobs is absent.
    public var oldestReady: [TubeName: Double] = [:]
    public var store = StoreFacts()
    public var process = ProcessNumbers()
    /// What the database said last; nil if it has not been asked, or is away.
    public var database: DatabaseFacts?

    public init() {}
}

/// What the store's threads know.
public struct StoreFacts: Sendable {
    public var isDatabaseUp = false
    public var schemaVersion = 0
    /// How often a session with the database was lost and replaced.
    public var reconnects: UInt64 = 0
    /// How many brokers this one has declared dead.
    public var failovers: UInt64 = 0
    /// Seconds since the last heartbeat that was committed; nil before the first.
    public var heartbeatAge: Double?
    /// By writer, in a fixed order.
    public var writers: [WriterFacts] = []

    public init() {}
}

/// What one writer has committed.
public struct WriterFacts: Sendable {
    /// `puts`, `changes` or `large_puts`.
    public var writer: String
    /// Seconds from sending a batch to its commit.
    public var seconds: Histogram
    /// Operations in a batch.
    public var operations: Histogram

    public init(writer: String, seconds: Histogram, operations: Histogram) {
        self.writer = writer
        self.seconds = seconds
        self.operations = operations
    }
}

/// What the operating system knows of the process.
public struct ProcessNumbers: Sendable {
    public var version = ""
    public var host = ""
    public var pid: Int32 = 0
    /// Seconds of CPU, in user code and in the kernel.
    public var userSeconds: Double = 0
    public var systemSeconds: Double = 0
    /// Seconds since the start.
    public var uptime: Double = 0
    /// Seconds since 1970 at the start.
    public var startTime: Double = 0
    /// Bytes of memory that are resident; nil where the system does not tell.
    public var residentBytes: Int?
    /// The largest body in bytes.
    public var maxJobSize = 0

    public init() {}
}

/// What the database says of itself.
public struct DatabaseFacts: Sendable {
    /// Bytes of the table of jobs, with its indexes and its large bodies.
    public var jobTableBytes: Int64
    /// Dead rows by table.
    public var deadRows: [(table: String, rows: Int64)]
    /// Seconds that the oldest transaction with a snapshot has lasted.
    public var oldestSnapshot: Double
    /// How many rows of the view `warnings` there are of each kind.
    public var warnings: [(warning: String, count: Int64)]

    public init(
        jobTableBytes: Int64, deadRows: [(table: String, rows: Int64)], oldestSnapshot: Double,
        warnings: [(warning: String, count: Int64)]
    ) {
        self.jobTableBytes = jobTableBytes
        self.deadRows = deadRows
        self.oldestSnapshot = oldestSnapshot
        self.warnings = warnings
    }
}

/// Counts of values in buckets with fixed bounds.
public struct Histogram: Sendable {
    /// Upper bounds, ascending. Values beyond the last one are in one bucket more.
    public var bounds: [Double]
    /// How many are in each bucket, not cumulative; empty while nothing was counted.
    public var counts: [UInt64]
    public var sum: Double

    public init(bounds: [Double], counts: [UInt64] = [], sum: Double = 0) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }
}
