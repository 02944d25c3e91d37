/// What one transaction of the writer does (design, section 4): puts of new jobs, and changes of jobs that this
/// broker holds the lease of. Its outcome is one for all: committed or not.
public struct WriteBatch: Sendable {
    public var epoch: Int64
    public var puts: [Put] = []
    public var moves: [Move] = []
    public var deletes: [Delete] = []
    public var annotations: [Annotation] = []
    /// This broker is not the sole one any more: these leases are written with that, and nothing else.
    public var endsSole = false
    public var leases: [JobID] = []
    /// It has the lease of its jobs whatever their rows say.
    public var isSole = false
    /// The summons of a SQL session that is followed with this.
    public var answer: Int64?

    public init(epoch: Int64) {
        self.epoch = epoch
    }

    public var count: Int {
        puts.count + moves.count + deletes.count + annotations.count + (endsSole ? 1 : 0) + (answer == nil ? 0 : 1)
    }
    public var isEmpty: Bool { count == 0 }

    /// What the bytes alone may take: a body of 1 GiB is not late after ten seconds.
    var sendingTime: Span {
        .seconds(puts.reduce(0) { $0 + $1.body.count } / (4 << 20))
    }

    /// Both halves of a batch of two operations or more.
    public var halves: (WriteBatch, WriteBatch) {
        var first = WriteBatch(epoch: epoch)
        var second = WriteBatch(epoch: epoch)
        first.isSole = isSole
        second.isSole = isSole
        var left = count / 2
        func split<Operation>(_ operations: [Operation]) -> ([Operation], [Operation]) {
            let cut = min(left, operations.count)
            left -= cut
            return (Array(operations[..<cut]), Array(operations[cut...]))
        }
        (first.puts, second.puts) = split(puts)
        (first.moves, second.moves) = split(moves)
        (first.annotations, second.annotations) = split(annotations)
        (first.deletes, second.deletes) = split(deletes)
        second.answer = answer
        return (first, second)
    }

    /// How the batch changes the number of jobs of each tube.
    public var changes: [(tube: TubeID, counts: StateCounts)] {
        var sums = TubeSums()
        for put in puts { sums.add(1, put.tube, put.state, put.priority) }
        for move in moves {
            sums.add(-1, move.tube, move.from, move.fromPriority)
            sums.add(1, move.tube, move.to, move.priority)
        }
        for delete in deletes { sums.add(-1, delete.tube, delete.from, delete.fromPriority) }
        return sums.all
    }

    /// What `changes` has said too much when these jobs were missing. One whose row is gone has not been counted out by
    /// whoever deleted it; one that is somebody else's stays as it is.
    public func correction(for missing: [MissingJob]) -> [(tube: TubeID, counts: StateCounts)] {
        let isThere = Dictionary(missing.map { ($0.id, $0.isThere) }) { first, _ in first }
        var sums = TubeSums()
        for move in moves {
            guard let isThere = isThere[move.id] else { continue }
            if isThere { sums.add(1, move.tube, move.from, move.fromPriority) }
            sums.add(-1, move.tube, move.to, move.priority)
        }
        for delete in deletes where isThere[delete.id] == true {
            sums.add(1, delete.tube, delete.from, delete.fromPriority)
        }
        return sums.all
    }
}

/// Changes of the numbers of jobs, by tube.
private struct TubeSums {
    private(set) var all: [(tube: TubeID, counts: StateCounts)] = []
    private var places: [TubeID: Int] = [:]

    mutating func add(_ n: Int, _ tube: TubeID, _ state: StoredState, _ priority: UInt32) {
        // Nearly always the tube of the operation before.
        if let last = all.last, last.tube == tube {
            all[all.count - 1].counts.add(n, state, priority: priority)
        } else if let at = places[tube] {
            all[at].counts.add(n, state, priority: priority)
        } else {
            var counts = StateCounts()
            counts.add(n, state, priority: priority)
            places[tube] = all.count
            all.append((tube, counts))
        }
    }
}

/// A new job.
public struct Put: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var priority: UInt32
    /// Seconds.
    public var delay: UInt32
    /// Seconds, at least 1.
    public var ttr: UInt32
    /// Born with this broker's lease, because it goes straight into the cache.
    public var isLeased: Bool
    public var body: Body

    var tubeSlot: Int
    var ticket: Ticket
    var issued: Instant

    public var state: StoredState { delay > 0 ? .delayed : .ready }
}

/// A change of a job's stored state, priority or delay: release, bury, or the return of a job that is given up.
public struct Move: Sendable {
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
    /// The reply that waits for the commit; none when the broker does this by itself.
    var ticket: Ticket?
    var issued: Instant

    /// Whether `due_at` starts anew: a bury or a job given back leaves it.
    public var setsDue: Bool { ticket != nil && to != .buried }
}

/// The end of a job.
public struct Delete: Sendable {
    public var id: JobID
    public var tube: TubeID
    public var from: StoredState
    public var fromPriority: UInt32
    /// Its tube keeps history; this goes into it.
    public var ending: Ending?

    var slot: Int
    var wasHeld: Bool
    var ticket: Ticket
    var issued: Instant
}

/// What SQL readers are told of a leased job: who holds it since when, and how often it was taken (invariant 6).
public struct Annotation: Sendable {
    public var id: JobID
    /// Microseconds since the reservation and until its deadline; `nil` for a job in nobody's hands.
    public var reserved: (since: Int64, left: Int64)?
    public var counters: JobCounters
    public var reservations = Reservations()

    /// The row had no lease; it has one with this.
    var wasImplicit = false
}

/// Where a reply goes: a connection, and the place among its replies.
struct Ticket: Sendable {
    var connection: ConnectionID
    var place: UInt64
}

/// How a batch ended.
public enum WriteOutcome: Sendable {
    case committed
    /// Committed, but for these jobs, to which nothing was done.
    case committedWithout([MissingJob])
    /// PostgreSQL refused it; nothing was done.
    case refused(Refusal)
    /// The epoch is dead; nothing was done.
    case fenced
}

/// A job that a batch was to change and has not found with this broker's lease: somebody has written to the table.
public struct MissingJob: Hashable, Sendable {
    public var id: JobID
    /// It is there, and not this broker's; else its row is gone.
    public var isThere: Bool

    public init(id: JobID, isThere: Bool) {
        self.id = id
        self.isThere = isThere
    }
}

/// Why PostgreSQL did not do what it was asked to.
public enum Refusal: Sendable {
    /// Out of disk or memory: `OUT_OF_MEMORY` for a put.
    case full
    /// Another job has the id of this one: a put gets a new one.
    case idTaken
    /// The tube of a put has lost its row: a put asks for another.
    case tubeGone
    /// A transaction of somebody's SQL session has locked it: a query is asked again.
    case busy
    /// Anything else: `INTERNAL_ERROR`.
    case failed

    /// What the client of a put is told.
    var replyToPut: Reply { if case .full = self { .outOfMemory } else { .internalError } }
}
