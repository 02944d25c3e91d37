public import Foundation

/// `GET /brokers`: every broker of the queue.
public struct BrokerEntry: Codable, Hashable, Sendable {
    public var epoch: Int64
    public var host: String
    public var pid: Int
    public var startedAt: Date
    public var heartbeatAt: Date
    public var isAlive: Bool
    public var isSole: Bool
    /// This is the one that answers.
    public var isThis: Bool
    public var maxJobSize: Int64?

    public init(
        epoch: Int64, host: String, pid: Int, startedAt: Date, heartbeatAt: Date, isAlive: Bool, isSole: Bool,
        isThis: Bool, maxJobSize: Int64?
    ) {
        self.epoch = epoch
        self.host = host
        self.pid = pid
        self.startedAt = startedAt
        self.heartbeatAt = heartbeatAt
        self.isAlive = isAlive
        self.isSole = isSole
        self.isThis = isThis
        self.maxJobSize = maxJobSize
    }
}

/// `GET /clients`: connections of the broker that answers, up to 1000.
public struct ClientPage: Codable, Hashable, Sendable {
    public var at: Date
    public var clients: [ClientEntry]
    public var total: Int

    public init(at: Date, clients: [ClientEntry], total: Int) {
        self.at = at
        self.clients = clients
        self.total = total
    }
}

/// A connection.
public struct ClientEntry: Codable, Hashable, Sendable {
    /// The address: `10.0.0.7:5123`, or `unix`.
    public var address: String
    public var isProducer: Bool
    public var isWorker: Bool
    /// It waits for a job.
    public var isWaiting: Bool
    public var using: String
    /// Up to 100.
    public var watching: [String]
    /// The jobs that it has, up to 100.
    public var holds: [Int64]
    public var held: Int
    public var connectedSeconds: Double
    public var idleSeconds: Double

    public init(
        address: String, isProducer: Bool, isWorker: Bool, isWaiting: Bool, using: String, watching: [String],
        holds: [Int64], held: Int, connectedSeconds: Double, idleSeconds: Double
    ) {
        self.address = address
        self.isProducer = isProducer
        self.isWorker = isWorker
        self.isWaiting = isWaiting
        self.using = using
        self.watching = watching
        self.holds = holds
        self.held = held
        self.connectedSeconds = connectedSeconds
        self.idleSeconds = idleSeconds
    }
}

/// `GET /holders`: jobs that somebody has, of all brokers and SQL sessions, the longest held first, up to 1000.
public struct HolderPage: Codable, Hashable, Sendable {
    public var jobs: [JobSummary]

    public init(jobs: [JobSummary]) { self.jobs = jobs }
}

/// `GET /warnings`: what an operator should look into.
public struct WarningEntry: Codable, Hashable, Sendable {
    public var warning: String
    public var object: String
    public var since: Date?
    public var amount: Int64?
    public var unit: String?
    public var hint: String

    public init(warning: String, object: String, since: Date?, amount: Int64?, unit: String?, hint: String) {
        self.warning = warning
        self.object = object
        self.since = since
        self.amount = amount
        self.unit = unit
        self.hint = hint
    }
}

/// `GET /history`: jobs that have ended, newest first, paged by key.
public struct HistoryPage: Codable, Hashable, Sendable {
    public var jobs: [HistoryEntry]
    public var next: String?

    public init(jobs: [HistoryEntry], next: String?) {
        self.jobs = jobs
        self.next = next
    }
}

/// A job that has ended.
public struct HistoryEntry: Codable, Hashable, Sendable {
    public var id: Int64
    public var tube: String
    /// `finished` or `deleted`.
    public var outcome: String
    public var state: String
    public var priority: Int64
    public var createdAt: Date
    public var firstReservedAt: Date?
    public var lastReservedAt: Date?
    public var finishedAt: Date
    public var waitedSeconds: Double?
    public var workedSeconds: Double?
    public var reserves: Int
    public var timeouts: Int
    public var releases: Int
    public var buries: Int
    public var kicks: Int

    public init(
        id: Int64, tube: String, outcome: String, state: String, priority: Int64, createdAt: Date,
        firstReservedAt: Date?, lastReservedAt: Date?, finishedAt: Date, waitedSeconds: Double?,
        workedSeconds: Double?, reserves: Int, timeouts: Int, releases: Int, buries: Int, kicks: Int
    ) {
        self.id = id
        self.tube = tube
        self.outcome = outcome
        self.state = state
        self.priority = priority
        self.createdAt = createdAt
        self.firstReservedAt = firstReservedAt
        self.lastReservedAt = lastReservedAt
        self.finishedAt = finishedAt
        self.waitedSeconds = waitedSeconds
        self.workedSeconds = workedSeconds
        self.reserves = reserves
        self.timeouts = timeouts
        self.releases = releases
        self.buries = buries
        self.kicks = kicks
    }
}

/// `GET /reports?tube=NAME&hours=24`: what became of the jobs of a tube, hour by hour, oldest first.
public struct Report: Codable, Hashable, Sendable {
    public var tube: String?
    public var hours: [ReportHour]

    public init(tube: String?, hours: [ReportHour]) {
        self.tube = tube
        self.hours = hours
    }
}

/// An hour of a report.
public struct ReportHour: Codable, Hashable, Sendable {
    public var start: Date
    public var puts: Int
    public var deletes: Int
    public var timeouts: Int
    public var releases: Int
    public var buries: Int
    public var waited: Percentiles?
    public var worked: Percentiles?

    public init(
        start: Date, puts: Int, deletes: Int, timeouts: Int, releases: Int, buries: Int, waited: Percentiles?,
        worked: Percentiles?
    ) {
        self.start = start
        self.puts = puts
        self.deletes = deletes
        self.timeouts = timeouts
        self.releases = releases
        self.buries = buries
        self.waited = waited
        self.worked = worked
    }
}
