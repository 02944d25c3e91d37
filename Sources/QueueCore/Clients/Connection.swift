import DequeModule

/// A client's connection: its tubes, the jobs it holds, and the replies it is owed.
struct Connection: Vacatable, HeapMember {
    var generation: UInt32 = 0
    /// Where its output goes; one for each event loop.
    var outbox = 0
    var isOpen = false

    /// Slots of tubes.
    var used = 0
    var watched: [Int] = []

    /// The jobs it holds, as a list through `Job.next`, last reserved first; and the first reserved of them.
    var firstHeld = -1
    var lastHeld = -1
    /// How many of them are so close to their deadlines that it is warned.
    var dueSoon = 0

    /// The put that is coming has been counted.
    var hasCountedPut = false
    var isProducer = false
    var isWorker = false
    var wait: Wait?
    /// Numbers its waits, so that stale waiters of tubes are known.
    var waits: UInt64 = 0

    /// Replies not sent because an earlier one is not known yet: the first is always open.
    var replies: Deque<Reply?> = []
    /// Number of the first of them.
    var firstPlace: UInt64 = 0
    /// The command that the open replies are to, when they are all to the same.
    var pipelined: Pipelinable?
    /// The command that waits until all open replies are known.
    var parked: Command?
    /// Bytes of its puts that wait for a commit.
    var pendingBytes = 0
    /// How many of its puts wait for a tube's row or for an id.
    var waitingPuts = 0
    /// It has sent all that it will send.
    var inputEnded = false
    var heapPosition: Int32 = -1

    /// Open replies beyond which no more commands are read from the connection.
    static let maxOpenReplies = 1024
    /// Bytes of puts that wait for a commit beyond which none are: others have their share of each batch.
    static let maxPendingBytes = 4 << 20
    /// Tubes that it may watch; each reserve looks at all of them.
    static let maxWatched = 10_000

    /// Whether no command may be given to it now.
    var isBlocked: Bool {
        wait != nil || parked != nil || replies.count >= Connection.maxOpenReplies
            || pendingBytes >= Connection.maxPendingBytes
    }

    /// Whether it is owed a reply.
    var isBusy: Bool { wait != nil || parked != nil || !replies.isEmpty }

    mutating func vacate() {
        let generation = generation
        self = Connection()
        self.generation = generation
    }

    /// A reserve that has not been answered.
    struct Wait {
        /// `reserve` alone waits for ever.
        var until: Instant?
        /// Answer as soon as the tubes are known: `reserve-with-timeout 0`, or a deadline close by.
        var isImpatient: Bool
    }
}

/// Commands that may overtake the commit of others of the same kind, since they concern other jobs.
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

    /// Commands that neither read nor change jobs: they need not wait for what came before.
    var isUnordered: Bool {
        switch self {
        case .use, .malformed, .malformedPut, .malformedPauseTube, .unknown, .putTooBig, .putWithoutCRLF, .listTubeUsed:
            true
        default: false
        }
    }
}
