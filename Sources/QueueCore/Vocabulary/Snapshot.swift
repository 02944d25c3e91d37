/// What the queue can tell of itself at one moment, for metrics and for the page.
///
/// One call takes it under the lock of the queue, so it holds plain numbers only. Counts are of the whole queue as this
/// broker knows it; counters are of what this broker has done since its start and never decrease while a tube exists.
public struct QueueSnapshot: Sendable {
    public var stats = BrokerStats()
    /// 0 while the store is not attached.
    public var epoch: Int64 = 0
    /// Jobs may be given out: the epoch is valid.
    public var isEpochValid = false
    public var isSole = false
    /// Other living brokers.
    public var peers = 0
    /// Bytes of puts that wait for a commit.
    public var pendingBytes = 0
    /// The most of them: of bodies that go the usual way, and as many again of large ones.
    public var pendingLimit = 0
    /// Puts that were answered `OUT_OF_MEMORY` or `INTERNAL_ERROR`.
    public var refusedPuts: UInt64 = 0
    /// Bytes of jobs in the cache, and the limit.
    public var cachedBytes = 0
    public var cacheLimit = 0
    public var tubes: [TubeSnapshot] = []

    public init() {}
}

/// A tube at one moment.
public struct TubeSnapshot: Sendable {
    public var name: TubeName
    /// Its number in PostgreSQL; `nil` while it has no row, and so no jobs.
    public var row: TubeID?
    public var jobs = JobCounts()
    public var using = 0
    public var watching = 0
    public var waiting = 0
    /// The length of the pause, and what is left of it, in seconds; 0 if there is none.
    public var pause: Int64 = 0
    public var pauseLeft: Int64 = 0
    public var hasPolicy = false
    /// The policy buries jobs.
    public var hasDeadLetters = false
    public var maxReady: Int?
    public var totalJobs: UInt64 = 0
    public var deletes: UInt64 = 0
    public var pauses: UInt64 = 0
    public var activity = TubeActivity()

    public init(name: TubeName) {
        self.name = name
    }
}

/// The queue with what a table of its tubes shows: it costs less to take than a `QueueSnapshot`.
public struct QueueOutline: Sendable {
    /// Without its tubes.
    public var queue: QueueSnapshot
    public var tubes: [TubeLine]

    public init(queue: QueueSnapshot = QueueSnapshot(), tubes: [TubeLine] = []) {
        self.queue = queue
        self.tubes = tubes
    }
}

/// What a table shows of a tube at one moment. The meanings are those of `TubeSnapshot`.
public struct TubeLine: Sendable {
    public var name: TubeName
    public var jobs = JobCounts()
    public var using = 0
    public var watching = 0
    public var waiting = 0
    /// What is left of the pause, in seconds; 0 if there is none.
    public var pauseLeft: Int64 = 0
    public var hasPolicy = false
    public var maxReady: Int?
    /// What this broker has done, as in `TubeActivity`.
    public var puts: UInt64 = 0
    public var deletes: UInt64 = 0
    public var waited = DurationHistogram()

    public init(name: TubeName) {
        self.name = name
    }

    public init(_ tube: TubeSnapshot) {
        name = tube.name
        jobs = tube.jobs
        using = tube.using
        watching = tube.watching
        waiting = tube.waiting
        pauseLeft = tube.pauseLeft
        hasPolicy = tube.hasPolicy
        maxReady = tube.maxReady
        puts = tube.activity.puts
        deletes = tube.activity.deletes
        waited = tube.activity.waited
    }
}

/// What this broker has done in a tube since its start, or since the tube came into being.
public struct TubeActivity: Hashable, Sendable {
    public var puts: UInt64 = 0
    public var reserves: UInt64 = 0
    public var deletes: UInt64 = 0
    public var releases: UInt64 = 0
    public var buries: UInt64 = 0
    public var kicks: UInt64 = 0
    public var timeouts: UInt64 = 0
    /// Bytes of the bodies that were put.
    public var bodyBytes: UInt64 = 0
    /// From the put to the first reserve.
    public var waited = DurationHistogram()
    /// From a reserve to the delete.
    public var worked = DurationHistogram()

    public init() {}
}

/// Counts lengths of time in buckets whose bounds are fixed, so that histograms of several brokers can be added.
public struct DurationHistogram: Hashable, Sendable {
    /// Upper bounds, in seconds; what is longer than the last one is in one bucket more.
    public static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400,
    ]
    /// How many were in each bucket; empty while nothing was counted, so that an idle tube costs no memory.
    public var counts: [UInt64] = []
    /// The sum of all, in seconds.
    public var sum: Double = 0

    public init() {}
}
