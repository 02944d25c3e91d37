/// The broker as a state machine: commands, outcomes and the time go in; replies, batches and queries come out.
///
/// It does no I/O, reads no clock and knows no threads; the shell calls it under one lock. Times only grow from call
/// to call. Everything beanstalkd's protocol says about queues is decided here (design, section 2).
///
/// It cannot be copied: each copy would count a reference to every part.
public struct Queue: ~Copyable {
    public struct Configuration: Sendable {
        /// Bytes of jobs kept in memory ahead of reserves.
        public var cacheBytes = 64 << 20
        /// Bytes of puts that may wait for a commit; beyond it `put` gets `OUT_OF_MEMORY`. As many of large bodies, or one
        /// that is larger.
        public var maxPendingBytes = 256 << 20
        /// Bytes that a body may have at most: PostgreSQL's messages and values end at 1 GiB, and some of that is
        /// theirs. A larger one gets `OUT_OF_MEMORY`.
        public var maxBodyBytes = (1 << 30) - (64 << 10)
        /// How long a write waits for the database before it gets `INTERNAL_ERROR`.
        public var databaseTimeout = Span.seconds(10)
        /// Bytes of bodies that one batch takes at most, if it takes more than one.
        public var maxBatchBytes = 16 << 20
        /// A body of more bytes is a large one: it is written beside the others, which do not wait for it.
        public var largeBodyBytes = 1 << 20
        /// Tubes that may be mentioned at a time; who mentions one more gets `OUT_OF_MEMORY`.
        public var maxTubes = 1_000_000
        /// Jobs that clients may hold, some 400 bytes each; whoever asks for one more gets `OUT_OF_MEMORY`.
        public var maxHeldJobs = 4 << 20

        public init() {}
    }

    let configuration: Configuration

    var connections = SlotMap<Connection>()
    var nextGeneration: UInt32 = 1
    /// Slots of those that are gone and whose jobs have not all been given back.
    var closing: [Int] = []
    var tubes = SlotMap<Tube>()
    var jobs = SlotMap<Job>()

    var defaultTube = 0
    var tubeSlots: [TubeName: Int] = [:]
    var tubeSlotsByRow: [TubeID: Int] = [:]
    /// Every row of `tube` that is known, also of tubes that do not exist in the protocol's sense; and their names.
    var tubeRows: [TubeName: TubeID] = [:]
    var tubeNames: [TubeID: TubeName] = [:]
    /// Rows that were removed while the tubes were read.
    var removedRows: Set<TubeID> = []
    var policies: [TubeID: TubePolicy] = [:]
    /// Whether one of them does.
    var keepsHistory = false
    /// Rows that this epoch's database has lost: their numbers may be other tubes' now.
    var lostRows: Set<TubeID> = []
    /// The order of `list-tubes`.
    var listing: [Int] = []
    /// Those that something goes on in.
    var active: [Int] = []
    var totals = TubeTotals()
    var pausedTubes: Set<Int> = []
    /// No pause is over before.
    var nextPauseEnd = Instant.never
    /// When pauses ended because their tubes were gone.
    var forgottenPauses: [TubeName: Instant] = [:]
    var jobSlots: [JobID: Int] = [:]
    /// Jobs that are settling and of which a refill has got the lease that the change gave up: their rows.
    var reclaimed: [JobID: JobRow] = [:]
    /// Jobs that are not known here and that queries under way may change.
    var undecided: [JobID: UndecidedJob] = [:]

    var deadlines = IndexedHeap<Instant>()
    var timers = IndexedHeap<Instant>()

    // To and from the store.
    /// 0 while there is none.
    public internal(set) var epoch: Int64 = 0
    /// There has been one.
    var hasStarted = false
    /// No job is given out from memory from here on, unless the epoch is renewed (design, section 7).
    var epochValidUntil = Instant(nanoseconds: 0)
    var peers = 0
    /// Others may have changed the counts of tubes since they were last read.
    var countsMayBeOff = false
    /// All of them, and not only those that are seen to have changed.
    var isFullRecountDue = false
    /// What has been counted here since the last reading, while that may be off: rows.
    var tubesToRecount: [TubeID] = []
    /// While they are read: nothing has been under way here that could change them too.
    var isCountedAlone = false
    var sharing = Sharing.shared
    var ids: [ClosedRange<JobID>] = []
    var idsWanted = false
    var idsUsed = 0
    var lanes = WriteLanes()
    /// Of puts that wait for a commit: of large bodies, and of all others.
    var pendingLargeBytes = 0
    var pendingBytes = 0
    var annotations: [JobID] = []
    var queries: [PendingQuery] = []
    /// Queries whose answers are awaited, for their time limit.
    var queriesInFlight: [PendingQuery] = []
    var queriesInFlightSince = Instant.never
    /// Under which epoch they were asked.
    var queriesEpoch: Int64 = 0
    /// What is being finished was done under an epoch that has died: the counts that came with the new one have it.
    var isStale = false
    /// Their commands wait for the epoch to be renewed.
    var commandsAwaitingEpoch: [ConnectionID] = []
    /// Their commands wait for jobs that are being given up.
    var commandsAwaitingSettled: [JobID: [ConnectionID]] = [:]
    /// Some rows may have this epoch's lease without being known here, also of tubes that come later.
    var hasReconnected = false
    /// Answers that wait for the tubes that they speak of to be known.
    var answersAwaitingTubes: [(query: PendingQuery, answer: Answer)] = []
    /// Queries that met a lock.
    var postponed: [PendingQuery] = []
    /// Jobs that would be in a client's hands, had the epoch not lapsed before the answers came.
    var answersAwaitingEpoch: [(query: PendingQuery, answer: Answer)] = []
    var waitingPuts: [PutRequest] = []
    /// Rows of tubes of which clients hold more or fewer jobs than others know.
    var heldRows: [TubeID] = []
    /// For the other brokers.
    var notices = Notices()
    var sql = SQLSessions()

    /// Reservations that SQL readers have not been told of, oldest first.
    var unannotated: UnannotatedReservations = UnannotatedReservations()
    var nextSweep = Instant.never
    var isSweeping = false
    var nextLeaseEnd = Instant(nanoseconds: 0)
    var isEndingLeases = false
    /// Their time is up, and the next sweep may have something for them.
    var waitersForNextSweep: [Tube.Waiter] = []
    /// And this is the one.
    var waitersForSweepInFlight: [Tube.Waiter] = []
    var nextTick = Instant(nanoseconds: 0)
    var nextPoll = Instant(nanoseconds: 0)
    var isPolling = false

    var cachedBytes = 0
    var isDraining = false
    var commands = CommandCounters()
    var jobTimeouts: UInt64 = 0
    var totalJobs: UInt64 = 0
    var totalConnections: UInt64 = 0
    var producers = 0
    var workers = 0
    var waiting = 0

    var outboxes: [[Output]]
    /// Bytes of the replies in each, about.
    var outboxBytes: [Int]

    /// What the shell does to connections, in order.
    public enum Output: Sendable {
        case reply(ConnectionID, Reply)
        /// The connection may be given commands again.
        case resume(ConnectionID)
        /// Nothing more comes after what has been replied.
        case close(ConnectionID)
    }

    public init(configuration: Configuration = Configuration(), outboxes: Int = 1) {
        self.configuration = configuration
        self.outboxes = Array(repeating: [], count: outboxes)
        outboxBytes = Array(repeating: 0, count: outboxes)
        defaultTube = tube(named: .default)
        tubes[defaultTube].pins += 1
    }

    /// Takes what is to be done to the connections of one event loop, behind what `taken` has already. Taking it into
    /// the same array again and again costs no memory.
    public mutating func takeOutput(_ outbox: Int, into taken: inout [Output]) {
        outboxBytes[outbox] = 0
        if taken.isEmpty {
            swap(&taken, &outboxes[outbox])
        } else {
            taken += outboxes[outbox]
            outboxes[outbox].removeAll(keepingCapacity: true)
        }
    }

    public var outboxCount: Int { outboxes.count }

    public func hasOutput(_ outbox: Int) -> Bool { !outboxes[outbox].isEmpty }

    /// Bytes of the replies that lie in an outbox, about: who goes on asking must not fill the memory with them.
    public func replyBytes(_ outbox: Int) -> Int { outboxBytes[outbox] }

    /// No more puts (SIGUSR1); there is no way back.
    public mutating func drain() { isDraining = true }
}
