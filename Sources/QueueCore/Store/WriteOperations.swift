/// A new job.
public struct Put: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var job: NewJob
    /// The job is born with this broker's lease, because it goes straight into the cache.
    public var isLeased: Bool

    var tubeSlot: Int
    var ticket: Ticket
    var issued: Instant
}

/// A change of a leased job's stored state, priority or delay: by a release, a bury, or a broker that gives the job
/// back.
public struct StateChange: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var from: StoredState
    public var fromPriority: UInt32
    public var to: StoredState
    public var priority: UInt32
    /// Seconds.
    public var delay: UInt32
    public var keepsLease: Bool
    public var counters: JobCounters
    public var reservations = Reservations()

    var slot: Int
    var wasHeld: Bool
    /// The reply that waits for the commit; `nil` when the broker makes the change by itself.
    var ticket: Ticket?
    var issued: Instant

    /// Whether the job's delay begins anew. A bury, and a broker that gives the job back, leave `due_at` as it is.
    public var setsDue: Bool { ticket != nil && to != .buried }

    var reply: Reply { to == .buried ? .buried : .released }
}

/// The end of a job.
public struct Delete: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var from: StoredState
    public var fromPriority: UInt32
    /// What is written to the history, if the tube keeps one.
    public var ending: Ending?

    var slot: Int
    var wasHeld: Bool
    var ticket: Ticket
    var issued: Instant
}

/// What the row of a leased job tells SQL readers: since when and until when a client holds it, and its counters.
public struct Annotation: Sendable {
    public var id: JobID
    /// Microseconds since the reservation and until its deadline; `nil` for a job that nobody holds.
    public var reserved: (since: Int64, left: Int64)?
    public var counters: JobCounters
    public var reservations = Reservations()

    /// The annotation also writes the lease, which the row did not have.
    var wasImplicit = false
}

/// Where a reply goes: a connection, and the place among its replies.
struct Ticket: Sendable {
    var connection: ConnectionID
    var place: UInt64
}

// MARK: Outcomes

/// How a batch ended.
public enum WriteOutcome: Sendable {
    case committed
    /// Committed, except that nothing was done to these jobs.
    case committedWithout([MissingJob])
    /// PostgreSQL refused the batch; nothing was done.
    case refused(Refusal)
    /// The epoch is dead; nothing was done.
    case fenced
}

/// A job that a batch was to change and that did not have this broker's lease: somebody has written to the table.
public struct MissingJob: Hashable, Sendable {
    public var id: JobID
    /// Whether the row exists, without this broker's lease.
    public var isThere: Bool

    public init(id: JobID, isThere: Bool) {
        self.id = id
        self.isThere = isThere
    }
}

/// Why PostgreSQL did not do what it was asked to.
public enum Refusal: Sendable {
    /// The disk or the memory is full. A put is answered with `OUT_OF_MEMORY`.
    case full
    /// Another job has the id. The put gets a new one.
    case idTaken
    /// The tube has lost its row. The put asks for another row.
    case tubeGone
    /// A SQL session has locked the row. The query is asked again.
    case busy
    /// Any other reason: `INTERNAL_ERROR`.
    case failed

    var replyToPut: Reply { if case .full = self { .outOfMemory } else { .internalError } }
}
