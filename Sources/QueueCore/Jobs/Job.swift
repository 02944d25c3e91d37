/// A job whose lease this broker has: it is cached, a client holds it, or a change of it is under way.
struct Job: Vacatable, HeapMember {
    enum Phase {
        /// Ready in its tube's cache.
        case cached
        /// Held by the client `owner` until `deadline`.
        case held
        /// Its delete or state change waits for the commit. Nobody gets the job meanwhile. `isGivenUp`: the broker gives
        /// the job back by itself, and afterwards anybody may have it.
        case settling(isGivenUp: Bool, Encounter)
    }

    /// How a refill has met the job while it was settling.
    enum Encounter {
        case none
        /// The refill only read, so it is not known who will have the job's lease.
        case read
        /// The change has committed and given up the lease, its outcome is on its way, and the refill has got the lease.
        /// The row is in `Jobs.claimed`: a phase without references keeps a refill fast.
        case claimed
    }

    var key: JobKey
    /// Slot of its tube.
    var tube: Int
    var ttr: UInt32
    /// Seconds of the last delay asked for.
    var delay: UInt32
    var created: Instant
    var counters: JobCounters
    /// The stored state in its row.
    var stored: StoredState
    var phase: Phase
    /// The row does not have this broker's lease. The broker has it as the sole one.
    var isImplicit = false
    /// The row was not found when an annotation was written.
    var isMissing = false
    /// `nil` when the memory budget had no room for it, and once it has been given to a client.
    var body: Body?
    /// Bytes of the cache's budget that the job takes.
    var charged = 0

    /// Slot of the connection that holds it.
    var owner = -1
    var reservations = Reservations()
    var deadline = Instant.never
    /// The deadline is so close that its client is warned.
    var isDueSoon = false
    /// Its neighbours in the list of its client's jobs.
    var previous = -1
    var next = -1
    /// Whether the row tells of the reservation, and whether the row has to be written again.
    var isAnnotated = false
    var needsAnnotation = false
    /// In the tube's cache while cached, among the deadlines while held; -1 while settling.
    var heapPosition: Int32 = -1

    init(row: JobRow, tube: Int, phase: Phase, now: Instant) {
        key = row.key
        self.tube = tube
        ttr = row.ttr
        delay = row.delay
        created = now - Span.microseconds(row.age)
        counters = row.counters
        stored = row.state
        self.phase = phase
        body = row.body
        isAnnotated = false
    }

    init(put: Put, now: Instant) {
        key = JobKey(priority: put.job.priority, id: put.id)
        tube = put.tubeSlot
        ttr = put.job.ttr
        delay = put.job.delay
        created = put.issued
        counters = JobCounters()
        stored = put.job.state
        phase = .cached
        body = put.job.body
    }

    mutating func vacate() {
        body = nil
        heapPosition = -1
    }

    var isCached: Bool { if case .cached = phase { true } else { false } }
    var isHeld: Bool { if case .held = phase { true } else { false } }
    var isSettling: Bool { if case .settling = phase { true } else { false } }
    var isBeingGivenBack: Bool { if case .settling(true, _) = phase { true } else { false } }

    var encounter: Encounter { if case .settling(_, let encounter) = phase { encounter } else { .none } }
}
