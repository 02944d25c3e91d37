/// A request to PostgreSQL about jobs that are not in memory: to read them, or to change them.
///
/// Queries are answered in the order in which they were asked. The effects of a query are committed before its answer
/// is given.
public enum Query: Sendable {
    /// Up to `limit` ready jobs with a key of at least `from`. Bodies over `bodyLimit` bytes are left out.
    case refill(tube: TubeID, from: JobKey, limit: Int, bodyLimit: Int, Claim)
    /// The smallest claimable key of each tube.
    case poll([TubeID])
    /// A job's body. `isSole`: this broker has the job's lease whatever the row says.
    case fetch(JobID, isSole: Bool)
    case reserve(JobID)
    /// `isRecorded`: the job is written to the history if its tube keeps one.
    case delete(JobID, isRecorded: Bool)
    /// Makes up to `bound` buried jobs ready, or delayed ones if none are buried. `state` restricts it to one of the
    /// two.
    case kick(tube: TubeID, bound: Int, state: StoredState?)
    case kickJob(JobID)
    case peek(JobID)
    /// The first job of a tube in this stored state that nobody holds and that is not among `except`.
    case first(tube: TubeID, state: StoredState, except: [JobID])
    /// Everything about a job except its body.
    case job(JobID)
    /// The tube of this name with its numbers of jobs, if it has any, or a pause or a policy. `pause`: the client wants to
    /// pause it for so many seconds.
    case tube(TubeName, pause: UInt32?)
    /// Makes up to `limit` delayed jobs ready whose delay is over.
    case sweep(limit: Int)
    /// Ends the reservations of SQL sessions whose time is over. The effects come back as changes that SQL has made.
    case endLeases
    /// The tube's row, which is made if it is missing.
    case openTube(TubeName)
    case putUnique(UniquePut)
    /// 0 seconds end a pause.
    case pause(TubeName, seconds: UInt32)

    /// The tubes that the query names by their rows.
    var rows: [TubeID] {
        switch self {
        case .refill(let tube, _, _, _, _), .kick(let tube, _, _), .first(let tube, _, _): [tube]
        case .poll(let tubes): tubes
        case .putUnique(let put): [put.tube]
        case .fetch, .reserve, .delete, .kickJob, .peek, .job, .tube, .sweep, .endLeases, .openTube, .pause: []
        }
    }
}

/// Which rows a refill returns, and whether it takes their leases.
public enum Claim: Sendable {
    /// Free rows; the refill takes their leases.
    case free
    /// All rows, unchanged: a sole broker has their leases anyway.
    case none
}

/// A query, and what waits for its answer.
public struct PendingQuery: Sendable {
    public internal(set) var query: Query
    /// The epoch under which the query was taken and is to be done.
    public internal(set) var epoch: Int64 = 0
    /// The reply that waits for the answer; `nil` when the broker asks by itself.
    var ticket: Ticket?
    /// Slot of the tube that is pinned until the answer; -1 for none.
    var tube = -1
    var issued: Instant
    /// Of a fetch: the client wants this job and no other.
    var isNamed = false
    /// Of a kick, which takes several queries when there are many jobs: how many jobs the client asked for, and how
    /// many the earlier queries have kicked.
    var kick = (bound: 0, done: 0)

    var isRefill: Bool { if case .refill = query { true } else { false } }

    /// Whether the query is asked again when it has met a lock. It is refused in the end, as if the database were away.
    var isAskedAgain: Bool { if case .openTube = query { true } else { ticket != nil } }
}

/// What PostgreSQL answers to a query.
public enum Answer: Sendable {
    /// To refill, reserve, peek, first, job, delete.
    case rows([JobRow])
    /// To fetch.
    case body(Body?)
    /// To poll.
    case keys([(tube: TubeID, key: JobKey)])
    /// To kick and kickJob: how many jobs became ready, by tube.
    case readied([Readied])
    /// To sweep. `nextDue`: microseconds until the next delayed job is due, `nil` when there is none.
    case swept([Readied], more: Bool, nextDue: Int64?)
    /// To endLeases.
    case done
    /// To openTube and pause.
    case tube(TubeID, isNew: Bool)
    /// To tube.
    case tubes([TubeRow])
    /// To putUnique.
    case put(UniquePut.Outcome)
    /// To any query.
    case refused(Refusal)
}
