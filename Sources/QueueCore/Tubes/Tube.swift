import DequeModule

/// A tube as this broker sees it: who uses it, how many jobs it has, and the cache of its next ready jobs.
struct Tube: Vacatable {
    let name: TubeName
    /// Its number in PostgreSQL; `nil` while it has no row, and so no jobs.
    var row: TubeID?
    /// And that is no more: what is put has to ask for another.
    var isRowGone = false
    var isOpening = false
    /// And a SQL session makes it just now.
    var isOpeningBlocked = false
    var policy: TubePolicy?

    /// Jobs by stored state; the held ones are in there too.
    var stored = StateCounts()
    /// Jobs that clients of this broker hold, by stored state.
    var held = StateCounts()
    var isHeldPublished = true
    /// Jobs that clients of other brokers hold, as of about a second ago.
    var heldElsewhere = StateCounts()

    var using = 0
    var watching = 0
    /// Operations under way that must find the tube here when they end.
    var pins = 0
    /// Puts under way that will be ready.
    var putsInFlight = 0
    /// Jobs of it that are in memory, whatever the counts say: other brokers and SQL put some.
    var inMemory = 0
    /// Its place in the listing.
    var listingIndex = 0
    /// Its place among the active ones; -1 for none.
    var activeIndex = -1
    /// It is to be read with the next counts.
    var isMarkedForRecount = false

    var totalJobs: UInt64 = 0
    var deletes: UInt64 = 0
    var pauses: UInt64 = 0
    var pause: Int64 = 0
    var pausedUntil: Instant?
    /// When this broker itself last paused it, or ended that.
    var pauseSetAt = Instant(nanoseconds: 0)

    var cache = ReadyCache()
    /// Clients waiting for a job of this tube, longest first; entries whose wait has ended are stale.
    var waiters: Deque<Waiter> = []
    var waiting = 0
    /// Other brokers know, or will, that clients here wait for it.
    var isAwaited = false
    /// Polls since somebody waited.
    var idlePolls = 0

    init(name: TubeName) {
        self.name = name
    }

    mutating func vacate() {
        self = Tube(name: .default)
    }

    /// Whether anything keeps it in existence (protocol, 1.5).
    var isReferenced: Bool {
        using > 0 || watching > 0 || pins > 0 || inMemory > 0 || stored.total > 0 || held.total > 0
    }

    var jobs: JobCounts { JobCounts(stored: stored, held: held + heldElsewhere) }

    /// What a reserve finds here.
    var front: Front {
        if row == nil { return .empty }
        if let min = cache.heap.min, min.key < cache.horizon { return .job(min.slot, min.key) }
        return cache.heap.isEmpty && cache.horizon == .end ? .empty : .unknown
    }

    enum Front {
        case job(Int, JobKey)
        case empty
        /// The database may hold a job that goes first: look before you answer.
        case unknown
    }

    struct Waiter {
        var connection: ConnectionID
        /// Which of the connection's waits this is.
        var wait: UInt64
    }

    /// Whether stale waiters outnumber the live ones by so much that it pays to forget them.
    var hasManyStaleWaiters: Bool { waiters.count > 2 * waiting + 8 }
}
