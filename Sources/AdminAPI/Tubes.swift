public import Foundation

/// `GET /tubes`: a part of the tubes, filtered and sorted by the server. Also the event `tubes`.
public struct TubePage: Codable, Hashable, Sendable {
    public var at: Date
    public var tubes: [TubeSummary]
    /// How many tubes match the filter.
    public var matching: Int
    /// How many tubes there are.
    public var total: Int
    /// With `group=1`, instead of `tubes`: a part of the groups, and of the tubes that are in none.
    public var groups: [TubeGroup]?
    /// How many entries `groups` would have without a limit.
    public var matchingGroups: Int?

    public init(
        at: Date, tubes: [TubeSummary], matching: Int, total: Int, groups: [TubeGroup]? = nil,
        matchingGroups: Int? = nil
    ) {
        self.at = at
        self.tubes = tubes
        self.matching = matching
        self.total = total
        self.groups = groups
        self.matchingGroups = matchingGroups
    }
}

/// Tubes whose names are alike up to the first `.`, `/`, `_` or `-`.
public struct TubeGroup: Codable, Hashable, Sendable {
    /// What the names begin with; absent for a tube that is in no group.
    public var prefix: String?
    /// How many tubes it has.
    public var size: Int
    /// The sums of all its tubes, under the name of the prefix, with the age of the oldest job and the worst alarm; or the
    /// only tube.
    public var sum: TubeSummary
    /// Its tubes if it is open (`open=PREFIX,PREFIX`): the first 100 in the order of the page.
    public var tubes: [TubeSummary]?

    public init(prefix: String?, size: Int, sum: TubeSummary, tubes: [TubeSummary]?) {
        self.prefix = prefix
        self.size = size
        self.sum = sum
        self.tubes = tubes
    }
}

/// Why a tube needs somebody.
public enum TubeAlarm: String, Codable, Hashable, Sendable {
    /// Its oldest ready job has waited too long for this tube (docs/operate.md, What needs somebody).
    case late
    /// It has as many ready jobs as its policy allows: puts are refused.
    case full
}

/// A tube in the table.
public struct TubeSummary: Codable, Hashable, Sendable {
    public var name: String
    public var counts: Counts
    /// Puts and deletes a second, of the whole queue.
    public var inPerSecond: Double
    public var outPerSecond: Double
    /// The age of the ready job that has waited longest.
    public var oldestReadySeconds: Double?
    /// Clients of the broker that answers.
    public var using: Int
    public var watching: Int
    public var waiting: Int
    /// Seconds until the pause ends; absent if the tube is not paused.
    public var pauseSecondsLeft: Double?
    public var hasPolicy: Bool
    /// Absent if the tube is well.
    public var alarm: TubeAlarm?

    public init(
        name: String, counts: Counts, inPerSecond: Double, outPerSecond: Double, oldestReadySeconds: Double?,
        using: Int, watching: Int, waiting: Int, pauseSecondsLeft: Double?, hasPolicy: Bool, alarm: TubeAlarm? = nil
    ) {
        self.name = name
        self.counts = counts
        self.inPerSecond = inPerSecond
        self.outPerSecond = outPerSecond
        self.oldestReadySeconds = oldestReadySeconds
        self.using = using
        self.watching = watching
        self.waiting = waiting
        self.pauseSecondsLeft = pauseSecondsLeft
        self.hasPolicy = hasPolicy
        self.alarm = alarm
    }
}

/// `GET /tubes/NAME`.
public struct TubeDetail: Codable, Hashable, Sendable {
    public var at: Date
    public var tube: TubeSummary
    public var policy: Policy?
    /// Waiting, from the put to the first reserve, and working, from the last reserve to the end: of the last ten minutes.
    public var waited: Percentiles?
    public var worked: Percentiles?
    /// The age at which a ready job of this tube is late, in seconds.
    public var lateAfterSeconds: Double?

    public init(
        at: Date, tube: TubeSummary, policy: Policy?, waited: Percentiles?, worked: Percentiles?,
        lateAfterSeconds: Double? = nil
    ) {
        self.at = at
        self.tube = tube
        self.policy = policy
        self.waited = waited
        self.worked = worked
        self.lateAfterSeconds = lateAfterSeconds
    }
}

/// The policy of a tube. A value that is absent is off. `PUT /tubes/NAME/policy` sets the whole of it.
public struct Policy: Codable, Hashable, Sendable {
    /// Absent in requests: the tube is in the path.
    public var tube: String?
    public var buryAfterTimeouts: Int?
    public var buryAfterReleases: Int?
    public var maxReady: Int?
    public var historySeconds: Double?
    public var historyBody: Bool?

    public init(
        tube: String? = nil, buryAfterTimeouts: Int? = nil, buryAfterReleases: Int? = nil, maxReady: Int? = nil,
        historySeconds: Double? = nil, historyBody: Bool? = nil
    ) {
        self.tube = tube
        self.buryAfterTimeouts = buryAfterTimeouts
        self.buryAfterReleases = buryAfterReleases
        self.maxReady = maxReady
        self.historySeconds = historySeconds
        self.historyBody = historyBody
    }
}

/// Percentiles of a length of time, in seconds, read off a histogram: each is the upper bound of its bucket.
public struct Percentiles: Codable, Hashable, Sendable {
    public var count: Int
    public var p50: Double
    public var p95: Double
    public var p99: Double

    public init(count: Int, p50: Double, p95: Double, p99: Double) {
        self.count = count
        self.p50 = p50
        self.p95 = p95
        self.p99 = p99
    }
}

/// `GET /series?tube=NAME&window=10m|1d|30d`: samples over time, the same at every broker. Without `tube`: the sum of all
/// tubes, as far as it can be summed.
public struct Series: Codable, Hashable, Sendable {
    /// Absent for the whole queue.
    public var tube: String?
    /// Seconds between two points: 10, 300 or 3600.
    public var step: Int
    /// The time of the first point. A point stands for the `step` seconds that begin at its time.
    public var start: Date
    /// One point for each step; `null` where nothing is known.
    public var points: [SeriesPoint?]

    public init(tube: String?, step: Int, start: Date, points: [SeriesPoint?]) {
        self.tube = tube
        self.step = step
        self.start = start
        self.points = points
    }
}

/// What happened in one step of a series.
public struct SeriesPoint: Codable, Hashable, Sendable {
    /// Jobs by state at the end of the step.
    public var counts: Counts
    /// Puts and deletes in the step.
    public var puts: Int
    public var deletes: Int
    public var timeouts: Int
    public var oldestReadySeconds: Double?
    public var waitedP50: Double?
    public var waitedP95: Double?
    public var workedP50: Double?
    public var workedP95: Double?

    public init(
        counts: Counts, puts: Int, deletes: Int, timeouts: Int, oldestReadySeconds: Double?, waitedP50: Double?,
        waitedP95: Double?, workedP50: Double?, workedP95: Double?
    ) {
        self.counts = counts
        self.puts = puts
        self.deletes = deletes
        self.timeouts = timeouts
        self.oldestReadySeconds = oldestReadySeconds
        self.waitedP50 = waitedP50
        self.waitedP95 = waitedP95
        self.workedP50 = workedP50
        self.workedP95 = workedP95
    }
}

/// `GET /sparklines?tube=NAME&tube=NAME`: ten minutes of puts and deletes for the rows of a table, 60 numbers each.
public struct Sparklines: Codable, Hashable, Sendable {
    public var at: Date
    public var step: Int
    /// By the name of the tube; a tube without samples is absent.
    public var tubes: [String: Sparkline]

    public init(at: Date, step: Int, tubes: [String: Sparkline]) {
        self.at = at
        self.step = step
        self.tubes = tubes
    }
}

/// Jobs put and deleted in each step, oldest first.
public struct Sparkline: Codable, Hashable, Sendable {
    public var puts: [Int]
    public var deletes: [Int]

    public init(puts: [Int], deletes: [Int]) {
        self.puts = puts
        self.deletes = deletes
    }
}
