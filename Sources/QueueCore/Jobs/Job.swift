/// A job whose lease this broker has: it waits in the cache, a client holds it, or a change of it is on its way.
struct Job: Vacatable, HeapMember {
    enum Phase {
        /// Ready in its tube's cache.
        case cached
        /// In the hands of `owner`, until `deadline`.
        case held
        /// Its delete, release or bury waits for the commit; nobody may have it meanwhile.
        case settling
    }

    var key: JobKey
    /// Slot of its tube.
    var tube: Int
    var ttr: UInt32
    /// Seconds of the last delay asked for.
    var delay: UInt32
    var created: Instant
    var counters: JobCounters
    /// What its row says.
    var stored: StoredState
    var phase: Phase
    /// Its row has no lease of this broker: it is the sole one.
    var isImplicit = false
    /// Its row was not found when something was written to it.
    var isMissing = false
    /// While settling: nobody has asked for it, and everybody may have it afterwards.
    var isBeingGivenBack = false
    /// While settling: a refill has met it that does not care for leases, so it cannot tell whose the lease will be.
    var mustBeReread = false
    /// Absent when the memory budget had no room for it, and once it has been given out.
    var body: Body?
    /// Bytes of the budget that the body takes.
    var charged = 0

    /// Slot of the connection that holds it.
    var owner = -1
    var reservations = Reservations()
    var deadline = Instant.never
    /// The deadline is so close that its owner is warned.
    var isDueSoon = false
    /// Its neighbours among the jobs of its owner.
    var previous = -1
    var next = -1
    /// Whether the row tells of a reservation, and whether it must be told something new.
    var isAnnotated = false
    var needsAnnotation = false
    /// In the tube's cache when cached, among the deadlines when held.
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
}
