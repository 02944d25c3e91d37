/// A row of `job`.
public struct JobRow: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var state: StoredState
    public var priority: UInt32
    public var ttr: UInt32
    public var delay: UInt32
    /// Microseconds since the put.
    public var age: Int64
    /// Microseconds until the job is due, or until its reservation ends; negative when that is past.
    public var left: Int64
    /// Whether a client of a living broker holds it.
    public var isReserved: Bool
    public var counters: JobCounters
    /// Whose lease the row has, alive or not.
    public var lease: Int64?
    public var body: Body?
    /// Nobody is given a row that has one.
    public var flaw: Flaw?

    /// What no job can have: the value here is the nearest possible one.
    public struct Flaw: Sendable {
        /// The id as it stands there.
        public var row: Int64
        public var description: String

        public init(row: Int64, description: String) {
            self.row = row
            self.description = description
        }
    }

    public init(
        id: JobID, tube: TubeID, state: StoredState, priority: UInt32, ttr: UInt32, delay: UInt32, age: Int64,
        left: Int64, isReserved: Bool, counters: JobCounters, lease: Int64?, body: Body?, flaw: Flaw? = nil
    ) {
        self.id = id
        self.tube = tube
        self.state = state
        self.priority = priority
        self.ttr = ttr
        self.delay = delay
        self.age = age
        self.left = left
        self.isReserved = isReserved
        self.counters = counters
        self.lease = lease
        self.body = body
        self.flaw = flaw
    }

    public var key: JobKey { JobKey(priority: priority, id: id) }
}

/// Jobs of a tube that became ready together.
public struct Readied: Sendable {
    public var tube: TubeID
    /// The state they were in.
    public var from: StoredState
    public var count: Int
    public var urgent: Int
    /// The smallest of them.
    public var first: JobKey

    public init(tube: TubeID, from: StoredState, count: Int, urgent: Int, first: JobKey) {
        self.tube = tube
        self.from = from
        self.count = count
        self.urgent = urgent
        self.first = first
    }

    /// What they do to the tube's counts.
    public var change: StateCounts {
        var change = StateCounts(urgent: urgent, ready: count)
        switch from {
        case .ready: change = StateCounts()
        case .delayed: change.delayed -= count
        case .buried: change.buried -= count
        }
        return change
    }
}

/// A row of `tube`, with how many jobs it has.
public struct TubeRow: Sendable {
    public var id: TubeID
    public var name: TubeName
    /// Seconds the current pause was asked for; 0 when there is none.
    public var pause: Int64
    /// Microseconds until the pause ends.
    public var pauseLeft: Int64
    public var counts: StateCounts
    /// Jobs that clients of other brokers hold.
    public var heldElsewhere: StateCounts

    public init(
        id: TubeID, name: TubeName, pause: Int64, pauseLeft: Int64, counts: StateCounts,
        heldElsewhere: StateCounts = StateCounts()
    ) {
        self.id = id
        self.name = name
        self.pause = pause
        self.pauseLeft = pauseLeft
        self.counts = counts
        self.heldElsewhere = heldElsewhere
    }
}

extension JobRow {
    /// Of a put that was born leased.
    init(_ put: Put, lease: Int64) {
        self.init(
            id: put.id, tube: put.tube, state: put.job.state, priority: put.job.priority, ttr: put.job.ttr,
            delay: put.job.delay, age: 0, left: 0, isReserved: false, counters: JobCounters(), lease: lease,
            body: put.job.body)
    }
}
