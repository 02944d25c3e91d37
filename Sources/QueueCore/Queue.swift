import DequeModule

/// The broker as a state machine: commands, outcomes and the time go in; replies, batches and queries come out.
///
/// It does no I/O, reads no clock and has no threads. The shell calls it under one lock, with times that never
/// decrease. All of beanstalkd's semantics of queues are decided here.
///
/// It cannot be copied: a copy would retain every part.
public struct Queue: ~Copyable {
    public struct Configuration: Sendable {
        /// Bytes of jobs that are kept in memory ahead of reserves.
        public var cacheBytes = 64 << 20
        /// Bytes of puts that may wait for a commit; beyond that a put gets `OUT_OF_MEMORY`. The same limit applies
        /// to large bodies, separately. A put that is larger is accepted when it is alone.
        public var maxPendingBytes = 256 << 20
        /// Bytes that a body may have; a larger one gets `OUT_OF_MEMORY`. PostgreSQL's messages and values end at 1
        /// GiB, some of which PostgreSQL itself needs.
        public var maxBodyBytes = (1 << 30) - (64 << 10)
        /// How long a write waits for the database before it gets `INTERNAL_ERROR`.
        public var databaseTimeout = Span.seconds(10)
        /// Bytes of bodies in one batch, if the batch has more than one put.
        public var maxBatchBytes = 16 << 20
        /// A body of more bytes is a large one. It has a lane of its own, and other puts do not wait for it.
        public var largeBodyBytes = 1 << 20
        /// Tubes that may exist at a time. A client that mentions one more gets `OUT_OF_MEMORY`.
        public var maxTubes = 1_000_000
        /// Jobs that clients may hold, some 400 bytes each. A client that asks for one more gets `OUT_OF_MEMORY`.
        public var maxHeldJobs = 4 << 20

        public init() {}
    }

    let configuration: Configuration

    var connections = SlotMap<Connection>()
    var nextGeneration: UInt32 = 1
    /// Slots of connections that are gone and whose jobs have not all been given back.
    var closing: [Int] = []
    var tubes = SlotMap<Tube>()
    /// What has been counted in each tube.
    var logs = SlotMap<TubeLog>()
    /// Logs with something that has not been told, and what was not told of tubes that are gone.
    var logsToTell: Deque<Int> = []
    var goneActivity: [ActivityChange] = []
    var jobs = SlotMap<Job>()

    var defaultTube = 0
    var tubeSlots: [TubeName: Int] = [:]
    var tubeSlotsByRow: [TubeID: Int] = [:]
    /// Every known row of `tube`, by name and by number, including rows of tubes that do not exist in the protocol's
    /// sense.
    var tubeRows: [TubeName: TubeID] = [:]
    var tubeNames: [TubeID: TubeName] = [:]
    /// Rows that were removed while the tubes were read.
    var removedRows: Set<TubeID> = []
    var policies: [TubeID: TubePolicy] = [:]
    /// True if any policy keeps history.
    var keepsHistory = false
    /// Rows that the database of this epoch has lost. Their numbers may belong to other tubes by now.
    var lostRows: Set<TubeID> = []
    /// The order of `list-tubes`.
    var listing: [Int] = []
    /// Tubes in use (see `activate`).
    var active: [Int] = []
    var totals = TubeTotals()
    var pausedTubes: Set<Int> = []
    /// No pause ends before this time.
    var nextPauseEnd = Instant.never
    /// When pauses ended because their tubes were released.
    var forgottenPauses: [TubeName: Instant] = [:]
    var jobSlots: [JobID: Int] = [:]
    /// Jobs that are not in memory and that queries under way may change.
    var undecided: [JobID: UndecidedJob] = [:]

    var deadlines = IndexedHeap<Instant>()
    var timers = IndexedHeap<Instant>()

    /// 0 while the store is not attached.
    public internal(set) var epoch: Int64 = 0
    /// The store has been attached before.
    var hasStarted = false
    /// No job is given out from memory from this time on unless the epoch is renewed
    /// (docs/ARCHITECTURE.md, Leases and epochs).
    var epochValidUntil = Instant(nanoseconds: 0)
    var peers = 0
    /// Other brokers, or SQL, may have changed the counts of tubes since they were last read.
    var countsMayBeOff = false
    /// All counts are to be read, and not only those that have changed.
    var isFullRecountDue = false
    /// Rows of tubes whose counts have changed here since the last reading, while counts may be off.
    var tubesToRecount: [TubeID] = []
    /// Nothing has been under way here that could change the counts since their reading began.
    var isCountedAlone = false
    var sharing = Sharing.shared
    var ids: [ClosedRange<JobID>] = []
    var idsWanted = false
    var idsUsed = 0
    /// The last id that was given to a job here, the last one that was fetched, and the last one that may belong to a job of
    /// others.
    var lastGivenID: JobID = 0
    var lastFetchedID: JobID = 0
    var lastIDElsewhere: JobID = 0
    /// What `stats` said of deletes.
    var deletesTold: UInt64 = 0
    var lanes = WriteLanes()
    /// Bytes of puts that wait for a commit: of large bodies, and of all others.
    var pendingLargeBytes = 0
    var pendingBytes = 0
    var annotations: [JobID] = []
    var queries: [PendingQuery] = []
    /// Queries whose answers are awaited.
    var queriesInFlight: [PendingQuery] = []
    var queriesInFlightSince = Instant.never
    /// The epoch under which they were asked.
    var queriesEpoch: Int64 = 0
    /// True while outcomes of a dead epoch are being finished. The counts that were read with the new epoch include
    /// them.
    var isStale = false
    /// Connections whose commands wait for the epoch to be renewed.
    var commandsAwaitingEpoch: [ConnectionID] = []
    /// Connections whose commands wait for jobs that are being given back.
    var commandsAwaitingSettled: [JobID: [ConnectionID]] = [:]
    /// Answers about rows of tubes that are not known yet.
    var answersAwaitingTubes: [(query: PendingQuery, answer: Answer)] = []
    /// Queries that met a lock and are asked again.
    var postponed: [PendingQuery] = []
    /// Answers that would give a job to a client, and came after the epoch's validity had ended.
    var answersAwaitingEpoch: [(query: PendingQuery, answer: Answer)] = []
    var waitingPuts: [PutRequest] = []
    /// Rows of tubes of which clients hold more or fewer jobs than was last published.
    var heldRows: [TubeID] = []
    /// For the other brokers.
    var notices = Notices()
    var sql = SQLSessions()
    /// What the step under way has touched.
    var marks = Marks()

    /// Reservations that are not in their rows yet, oldest first.
    var unannotated: UnannotatedReservations = UnannotatedReservations()
    var nextSweep = Instant.never
    var isSweeping = false
    var nextLeaseEnd = Instant(nanoseconds: 0)
    var isEndingLeases = false
    /// Clients whose wait is over and that are answered after the next sweep.
    var waitersForNextSweep: [Tube.Waiter] = []
    /// Clients to answer after the sweep in flight.
    var waitersForSweepInFlight: [Tube.Waiter] = []
    var nextTick = Instant(nanoseconds: 0)
    var nextPoll = Instant(nanoseconds: 0)
    var isPolling = false

    var cachedBytes = 0
    var isDraining = false
    var commands = CommandCounters()
    var jobTimeouts: UInt64 = 0
    /// Puts that were answered `OUT_OF_MEMORY` or `INTERNAL_ERROR`.
    var refusedPuts: UInt64 = 0
    var totalJobs: UInt64 = 0
    var totalConnections: UInt64 = 0
    var producers = 0
    var workers = 0
    var waiting = 0

    /// In a debug build: the number of events until the invariants are checked again.
    var eventsUntilCheck = 0

    var outboxes: [[Output]]
    /// Bytes of the replies in each outbox, about.
    var outboxBytes: [Int]

    /// What the shell has to do to connections, in order.
    public enum Output: Sendable {
        case reply(ConnectionID, Reply)
        /// The connection may be given commands again.
        case resume(ConnectionID)
        /// The connection is to be closed behind the replies before this.
        case close(ConnectionID)
    }

    public init(configuration: Configuration = Configuration(), outboxes: Int = 1) {
        self.configuration = configuration
        self.outboxes = Array(repeating: [], count: outboxes)
        outboxBytes = Array(repeating: 0, count: outboxes)
        defaultTube = tube(named: .default)
        pin(defaultTube)
        conclude(now: Instant(nanoseconds: 0))
    }

    /// Takes the output for the connections of one event loop, and appends it to `taken`. Using the same array again
    /// and again allocates no memory.
    public mutating func takeOutput(_ outbox: Int, into taken: inout [Output]) {
        outboxBytes[outbox] = 0
        if taken.isEmpty {
            swap(&taken, &outboxes[outbox])
        } else {
            taken += outboxes[outbox]
            outboxes[outbox].removeAll(keepingCapacity: true)
        }
    }

    /// Bytes of the replies in an outbox, about. A client that asks without reading must not fill the memory with
    /// them.
    public func replyBytes(_ outbox: Int) -> Int { outboxBytes[outbox] }

    /// Refuses puts from now on (SIGUSR1). There is no way back.
    public mutating func drain() { isDraining = true }
}
