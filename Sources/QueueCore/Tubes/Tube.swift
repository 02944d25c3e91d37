import DequeModule

/// A tube as this broker sees it: who uses it, how many jobs it has, and the cache of its next ready jobs.
struct Tube: Vacatable {
    let name: TubeName
    /// Its number in PostgreSQL; `nil` while it has no row, and so no jobs.
    var row: TubeID?
    /// The row has been removed. The next put has to ask for another one.
    var isRowGone = false
    var isOpening = false
    /// A SQL session is making the row in a transaction that is still open.
    var isOpeningBlocked = false
    var policy: TubePolicy?

    /// Jobs by stored state, including those that clients hold.
    var stored = StateCounts()
    /// Jobs that clients of this broker hold, by stored state.
    var held = StateCounts()
    var isHeldPublished = true
    /// Jobs that clients of other brokers hold, as of about a second ago.
    var heldElsewhere = StateCounts()

    var using = 0
    var watching = 0
    /// What `conclude` has to look at.
    var mark: Mark = []
    /// The number of operations under way that need the tube to exist when they end. A pinned tube is not removed.
    var pins = 0
    /// Puts in flight whose jobs will be ready.
    var putsInFlight = 0
    /// Those of them whose jobs are born leased.
    var leasedPuts = 0
    /// The number of its jobs that are in memory.
    var inMemory = 0
    /// Its index in `Tubes.listing`.
    var listingIndex = 0
    /// Its index in `Tubes.active`; -1 when it is not active.
    var activeIndex = -1
    /// The tube is in `Recounting.rows`.
    var isMarkedForRecount = false

    /// Its slot in `Activity.logs`; -1 while nothing has been counted.
    var log = -1
    var totalJobs: UInt64 = 0
    var deletes: UInt64 = 0
    var pauses: UInt64 = 0
    var pause: Int64 = 0
    var pausedUntil: Instant?
    /// When this broker last set or ended a pause of the tube.
    var pauseSetAt = Instant(nanoseconds: 0)

    var cache = ReadyCache()
    /// Clients that wait for a job of this tube, the longest wait first. Entries whose wait has ended are stale.
    var waiters: Deque<Waiter> = []
    var waiting = 0
    /// Other brokers know, or are about to be told, that clients here wait for the tube.
    var isAwaited = false
    /// Polls since a client waited or got a job.
    var idlePolls = 0
    /// Clients of other brokers wait for the tube, or did a moment ago.
    var isAwaitedElsewhere = false
    /// Jobs that clients here have got since the last tick, and between the two ticks before.
    var taken = 0
    var takenBefore = 0

    init(name: TubeName) {
        self.name = name
    }

    mutating func vacate() {
        self = Tube(name: .default)
    }

    /// Whether anything keeps the tube in existence (beanstalkd's doc/protocol.txt, Tubes).
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
        /// The database may have a job that goes first.
        case unknown
    }

    struct Waiter {
        var connection: ConnectionID
        /// The number of the connection's wait.
        var wait: UInt64
    }

    /// Whether stale waiters outnumber the others so much that removing them pays.
    var hasManyStaleWaiters: Bool { waiters.count > 2 * waiting + 8 }
}
