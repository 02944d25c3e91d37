/// What the broker asks PostgreSQL about jobs that it does not hold, or has it do to them. Each is answered in the
/// order in which it was asked; its effects are committed before its answer is given.
public enum Query: Sendable {
    /// Up to `limit` ready jobs with a key from `from` on. Bodies over `bodyLimit` bytes stay.
    case refill(tube: TubeID, from: JobKey, limit: Int, bodyLimit: Int, Claim)
    /// The smallest claimable key of each tube.
    case poll([TubeID])
    /// A job's body. `isSole`: whatever its row says of its lease.
    case fetch(JobID, isSole: Bool)
    case reserve(JobID)
    /// `isRecorded`: into the history, if its tube keeps one.
    case delete(JobID, isRecorded: Bool)
    /// Makes up to `bound` buried, or else delayed, jobs ready; only those of `state` if given.
    case kick(tube: TubeID, bound: Int, state: StoredState?)
    case kickJob(JobID)
    case peek(JobID)
    /// The first job of a tube in this stored state that nobody holds, and that is none of these.
    case first(tube: TubeID, state: StoredState, except: [JobID])
    /// All about a job but its body.
    case job(JobID)
    /// Makes up to `limit` delayed jobs ready whose time has come.
    case sweep(limit: Int)
    /// Ends the reservations of SQL sessions whose time is over. What that does comes back as what SQL sessions do.
    case endLeases
    /// The tube's row, made when missing.
    case openTube(TubeName)
    case putUnique(UniquePut)
    /// 0 seconds end a pause.
    case pause(TubeName, seconds: UInt32)

    /// The tubes that it names by their rows.
    var rows: [TubeID] {
        switch self {
        case .refill(let tube, _, _, _, _), .kick(let tube, _, _), .first(let tube, _, _): [tube]
        case .poll(let tubes): tubes
        case .putUnique(let put): [put.tube]
        case .fetch, .reserve, .delete, .kickJob, .peek, .job, .sweep, .endLeases, .openTube, .pause: []
        }
    }
}

/// Which rows a refill gives, and what it does to them.
public enum Claim: Sendable {
    /// It takes the lease of those that are free.
    case free
    /// The same, and those that have this broker's lease already come too.
    case freeAndOwn
    /// All of them, as they are: they are the sole broker's anyway.
    case none
}

/// A query on its way, with what its answer is for.
public struct PendingQuery: Sendable {
    public internal(set) var query: Query
    /// Under which it was taken, and is to be done.
    public internal(set) var epoch: Int64 = 0
    let purpose: Purpose
    let issued: Instant

    var isRefill: Bool { if case .refill = purpose { true } else { false } }
}

enum Purpose: Sendable {
    /// Nobody waits for it.
    case nothing
    case refill(tube: Int)
    case poll
    case sweep
    case endLeases
    /// `isNamed`: the client wants this job and no other.
    case fetch(JobID, Ticket, isNamed: Bool)
    case reserve(JobID, Ticket)
    case delete(JobID, Ticket)
    case kick(Ticket, tube: Int, bound: Int, done: Int)
    case kickJob(JobID, Ticket)
    case peek(Ticket)
    case peekReady(Ticket, tube: Int)
    case stats(Ticket)
    case openTube(tube: Int)
    case pause(Ticket, tube: Int, seconds: UInt32)
    case putUnique(Ticket, tube: Int)

    /// Whether it waits for a lock of somebody else's, and no longer than a client does.
    var isAskedAgain: Bool {
        if case .openTube = self { true } else { ticket != nil }
    }

    /// The reply that waits for the answer.
    var ticket: Ticket? {
        switch self {
        case .fetch(_, let ticket, _), .reserve(_, let ticket), .delete(_, let ticket), .kick(let ticket, _, _, _),
            .kickJob(_, let ticket), .peek(let ticket), .peekReady(let ticket, _), .stats(let ticket),
            .pause(let ticket, _, _), .putUnique(let ticket, _):
            ticket
        case .nothing, .refill, .poll, .sweep, .endLeases, .openTube: nil
        }
    }
}

public enum Answer: Sendable {
    /// To refill, reserve, peek, first, job, delete.
    case rows([JobRow])
    case body(Body?)
    /// To poll.
    case keys([(tube: TubeID, key: JobKey)])
    /// To kick and kick-job: how many jobs became ready, by tube.
    case readied([Readied])
    /// To sweep. `nextDue`: microseconds until the next delayed job, `nil` when there is none.
    case swept([Readied], more: Bool, nextDue: Int64?)
    /// To endLeases.
    case done
    /// To openTube and pause.
    case tube(TubeID, isNew: Bool)
    case put(UniquePut.Outcome)
    case refused(Refusal)
}

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
            id: put.id, tube: put.tube, state: put.state, priority: put.priority, ttr: put.ttr, delay: put.delay,
            age: 0, left: 0, isReserved: false, counters: JobCounters(), lease: lease, body: put.body)
    }
}
