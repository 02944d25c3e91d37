/// The body of `stats-job` (beanstalkd's doc/protocol.txt, Other Commands). Times are in whole seconds.
public struct JobStats: Hashable, Sendable {
    public var id: JobID
    public var tube: TubeName
    public var state: JobState
    public var priority: UInt32
    public var age: Int64
    public var delay: UInt32
    public var ttr: UInt32
    public var timeLeft: Int64
    public var counters: JobCounters

    public init(
        id: JobID, tube: TubeName, state: JobState, priority: UInt32, age: Int64, delay: UInt32, ttr: UInt32,
        timeLeft: Int64, counters: JobCounters
    ) {
        self.id = id
        self.tube = tube
        self.state = state
        self.priority = priority
        self.age = age
        self.delay = delay
        self.ttr = ttr
        self.timeLeft = timeLeft
        self.counters = counters
    }
}

/// How often each thing has happened to a job.
public struct JobCounters: Hashable, Sendable {
    public var reserves: UInt32 = 0
    public var timeouts: UInt32 = 0
    public var releases: UInt32 = 0
    public var buries: UInt32 = 0
    public var kicks: UInt32 = 0

    public init(
        reserves: UInt32 = 0, timeouts: UInt32 = 0, releases: UInt32 = 0, buries: UInt32 = 0, kicks: UInt32 = 0
    ) {
        self.reserves = reserves
        self.timeouts = timeouts
        self.releases = releases
        self.buries = buries
        self.kicks = kicks
    }
}

/// How many jobs are in each state. `urgent` is the part of `ready` with a priority under 1024.
public struct JobCounts: Hashable, Sendable {
    public var urgent: Int = 0
    public var ready: Int = 0
    public var reserved: Int = 0
    public var delayed: Int = 0
    public var buried: Int = 0

    public init(urgent: Int = 0, ready: Int = 0, reserved: Int = 0, delayed: Int = 0, buried: Int = 0) {
        self.urgent = urgent
        self.ready = ready
        self.reserved = reserved
        self.delayed = delayed
        self.buried = buried
    }

    public var total: Int { ready + reserved + delayed + buried }
}

/// The body of `stats-tube` (beanstalkd's doc/protocol.txt, Other Commands). Times are in whole seconds.
public struct TubeStats: Hashable, Sendable {
    public var name: TubeName
    public var jobs = JobCounts()
    public var totalJobs: UInt64 = 0
    public var using = 0
    public var watching = 0
    public var waiting = 0
    public var deletes: UInt64 = 0
    public var pauses: UInt64 = 0
    public var pause: Int64 = 0
    public var pauseTimeLeft: Int64 = 0

    public init(name: TubeName) {
        self.name = name
    }
}

/// The part of `stats` that the queue itself knows. The process adds the rest.
public struct BrokerStats: Hashable, Sendable {
    public var jobs = JobCounts()
    public var commands = CommandCounters()
    public var jobTimeouts: UInt64 = 0
    public var totalJobs: UInt64 = 0
    public var tubes = 0
    public var connections = 0
    public var producers = 0
    public var workers = 0
    public var waiting = 0
    public var totalConnections: UInt64 = 0
    public var draining = false

    public init() {}
}

/// How often each command was given, well formed, in this process, in the order of the `stats` body.
public struct CommandCounters: Hashable, Sendable {
    public var put: UInt64 = 0
    public var peek: UInt64 = 0
    public var peekReady: UInt64 = 0
    public var peekDelayed: UInt64 = 0
    public var peekBuried: UInt64 = 0
    public var reserve: UInt64 = 0
    public var reserveWithTimeout: UInt64 = 0
    public var delete: UInt64 = 0
    public var release: UInt64 = 0
    public var use: UInt64 = 0
    public var watch: UInt64 = 0
    public var ignore: UInt64 = 0
    public var bury: UInt64 = 0
    public var kick: UInt64 = 0
    public var touch: UInt64 = 0
    public var stats: UInt64 = 0
    public var statsJob: UInt64 = 0
    public var statsTube: UInt64 = 0
    public var listTubes: UInt64 = 0
    public var listTubeUsed: UInt64 = 0
    public var listTubesWatched: UInt64 = 0
    public var pauseTube: UInt64 = 0

    public init() {}
}

extension JobState {
    init(_ stored: StoredState) {
        switch stored {
        case .ready: self = .ready
        case .delayed: self = .delayed
        case .buried: self = .buried
        }
    }
}
