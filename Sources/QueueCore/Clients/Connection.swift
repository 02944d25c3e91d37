import DequeModule

/// A client's connection: its tubes, the jobs that it holds, and the replies that it is owed.
struct Connection: Vacatable, HeapMember {
    var generation: UInt32 = 0
    /// Index of the outbox for its output. Each event loop has one.
    var outbox = 0
    var isOpen = false

    /// Slots of tubes.
    var used = 0
    var watched: [Int] = []

    /// The jobs that it holds, as a list through `Job.next`. `firstHeld` is the job reserved last, `lastHeld` the one
    /// reserved first.
    var firstHeld = -1
    var lastHeld = -1
    /// How many they are.
    var held = 0
    /// How many of these jobs are so close to their deadlines that the client is warned.
    var dueSoon = 0

    /// The put whose line has been received has been counted.
    var hasCountedPut = false
    var isProducer = false
    var isWorker = false
    var wait: Wait?
    /// The number of its latest wait. Entries of tubes' waiters with another number are stale.
    var waits: UInt64 = 0

    /// Replies that are not sent because an earlier one is not known yet. The first is always unknown (`nil`).
    var replies: Deque<Reply?> = []
    /// The place of the first of them among all replies.
    var firstPlace: UInt64 = 0
    /// The kind of the commands that the open replies belong to, if it is the same for all.
    var pipelined: Pipelinable?
    /// The command that waits until all open replies are known.
    var parked: Command?
    /// Bytes of its puts that wait for a commit.
    var pendingBytes = 0
    /// How many of its puts wait for a tube's row or for an id.
    var waitingPuts = 0
    /// The client has sent all that it will send.
    var inputEnded = false
    /// It is among `Marks.connections`.
    var isMarked = false
    var heapPosition: Int32 = -1

    /// With this many open replies, no more commands are read from the connection.
    static let maxOpenReplies = 1024
    /// With this many bytes of puts that wait for a commit, no more commands are read: each batch has room for other
    /// clients.
    static let maxPendingBytes = 4 << 20
    /// How many tubes it may watch. Each reserve looks at all of them.
    static let maxWatched = 10_000

    /// Whether the connection may not be given a command now.
    var isBlocked: Bool {
        wait != nil || parked != nil || replies.count >= Connection.maxOpenReplies
            || pendingBytes >= Connection.maxPendingBytes
    }

    /// Whether the connection is owed a reply.
    var isBusy: Bool { wait != nil || parked != nil || !replies.isEmpty }

    mutating func vacate() {
        let generation = generation
        self = Connection()
        self.generation = generation
    }

    /// A reserve that has not been answered.
    struct Wait {
        /// `nil`: the client waits until there is a job.
        var until: Instant?
        /// The client is answered as soon as its tubes are known: it sent `reserve-with-timeout 0`, or has a deadline
        /// close by.
        var isImpatient: Bool
    }
}

/// Commands that may overtake the commits of others of their kind, since they concern other jobs.
enum Pipelinable {
    case put, delete, release, bury
}

extension Command {
    var pipelinable: Pipelinable? {
        switch self {
        case .put, .putUnique: .put
        case .delete: .delete
        case .release: .release
        case .bury: .bury
        default: nil
        }
    }

    /// Whether the command neither reads nor changes jobs. Such a command need not wait for the replies before it.
    var isUnordered: Bool {
        switch self {
        case .use, .malformed, .malformedPut, .malformedPauseTube, .unknown, .putTooBig, .putWithoutCRLF, .listTubeUsed:
            true
        default: false
        }
    }
}
