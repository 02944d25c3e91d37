public import Foundation

/// `GET /overview`: the strip that is on every screen. Also the event `overview`.
public struct Overview: Codable, Hashable, Sendable {
    /// When this was true.
    public var at: Date
    /// The version of the broker that answers.
    public var version: String
    public var queue: QueueName
    public var database: DatabaseState
    public var brokersAlive: Int
    /// The broker that answers is the only one and leases jobs in memory only.
    public var isSole: Bool
    public var counts: Counts
    /// Puts and deletes a second, of the whole queue, over the last seconds.
    public var inPerSecond: Double
    public var outPerSecond: Double
    /// The age of the ready job that has waited longest, of all tubes that are not paused.
    public var oldestReadySeconds: Double?
    public var tubes: Int
    /// Connections of clients to the broker that answers.
    public var connections: Int
    public var producers: Int
    public var workers: Int
    /// Clients that wait for a job.
    public var waiting: Int
    public var warnings: Int
    /// Tubes that need somebody (`TubeSummary.alarm`); absent where that is not known.
    public var alarms: Int?
    /// The viewer may act, and not only look.
    public var mayAct: Bool
    /// The name that the viewer was recognized by, if any.
    public var viewer: String?

    public init(
        at: Date, version: String, queue: QueueName, database: DatabaseState, brokersAlive: Int, isSole: Bool,
        counts: Counts, inPerSecond: Double, outPerSecond: Double, oldestReadySeconds: Double?, tubes: Int,
        connections: Int, producers: Int, workers: Int, waiting: Int, warnings: Int, alarms: Int? = nil, mayAct: Bool,
        viewer: String?
    ) {
        self.at = at
        self.version = version
        self.queue = queue
        self.database = database
        self.brokersAlive = brokersAlive
        self.isSole = isSole
        self.counts = counts
        self.inPerSecond = inPerSecond
        self.outPerSecond = outPerSecond
        self.oldestReadySeconds = oldestReadySeconds
        self.tubes = tubes
        self.connections = connections
        self.producers = producers
        self.workers = workers
        self.waiting = waiting
        self.warnings = warnings
        self.alarms = alarms
        self.mayAct = mayAct
        self.viewer = viewer
    }
}

/// Which queue this is.
public struct QueueName: Codable, Hashable, Sendable {
    public var schema: String
    public var database: String
    public var host: String

    public init(schema: String, database: String, host: String) {
        self.schema = schema
        self.database = database
        self.host = host
    }
}

/// Whether the broker can work with its database.
public struct DatabaseState: Codable, Hashable, Sendable {
    /// The broker's epoch is valid.
    public var isUp: Bool
    /// Why it is not, in a sentence.
    public var reason: String?

    public init(isUp: Bool, reason: String? = nil) {
        self.isUp = isUp
        self.reason = reason
    }
}

/// Jobs by state. `urgent` is the part of `ready` with a priority below 1024.
public struct Counts: Codable, Hashable, Sendable {
    public var ready: Int
    public var urgent: Int
    public var reserved: Int
    public var delayed: Int
    public var buried: Int

    public init(ready: Int = 0, urgent: Int = 0, reserved: Int = 0, delayed: Int = 0, buried: Int = 0) {
        self.ready = ready
        self.urgent = urgent
        self.reserved = reserved
        self.delayed = delayed
        self.buried = buried
    }
}
