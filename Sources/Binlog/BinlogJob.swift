/// A job as beanstalkd would have it after a restart with this log.
public struct BinlogJob: Sendable {
    /// The states that survive a restart: a reserved job is ready again.
    public enum State: Sendable {
        case ready
        case delayed
        case buried
    }

    public let id: UInt64
    /// The index of its tube's name in `BinlogContents.tubes`.
    public let tube: Int32
    public internal(set) var state: State
    /// The smallest number is the most urgent.
    public internal(set) var priority: UInt32
    /// The last delay that a client asked for, in seconds.
    public internal(set) var delay: UInt32
    /// In seconds, 1 or more.
    public internal(set) var ttr: UInt32
    /// Nanoseconds since 1970.
    public let createdAt: Int64
    /// The time at which it becomes or became ready, in nanoseconds since 1970; the time of creation if the log does
    /// not have it.
    public internal(set) var dueAt: Int64
    /// How often the job was reserved, timed out, and so on: the counters of `stats-job`.
    public internal(set) var reserves: UInt32
    public internal(set) var timeouts: UInt32
    public internal(set) var releases: UInt32
    public internal(set) var buries: UInt32
    public internal(set) var kicks: UInt32
    /// The rank in the order of burial, from 1 on; 0 unless buried.
    public internal(set) var buryOrder = 0

    /// The size of the body in bytes, without its CRLF.
    public var bodySize: Int { Int(body.count) }
    var body: BodyPlace

    init(_ record: Record, tube: Int32, body: BodyPlace) {
        id = record.id
        self.tube = tube
        state = .ready
        createdAt = record.createdAt
        self.body = body
        (priority, delay, ttr, dueAt) = (0, 0, 0, 0)
        (reserves, timeouts, releases, buries, kicks) = (0, 0, 0, 0, 0)
        update(record)
    }

    /// Takes over the values of a later record.
    mutating func update(_ record: Record) {
        priority = record.priority
        delay = UInt32(record.delay / 1_000_000_000)
        // As in a put, 0 means 1.
        ttr = max(1, UInt32(record.ttr / 1_000_000_000))
        dueAt = record.state == .delayed ? record.deadlineAt : createdAt
        reserves = record.reserves
        timeouts = record.timeouts
        releases = record.releases
        buries = record.buries
        kicks = record.kicks
        state =
            switch record.state {
            case .buried: .buried
            case .delayed: .delayed
            // After a restart no client holds a job.
            case .ready, .reserved, .invalid: .ready
            }
    }
}

/// The place of a body, which stays in its file until it is asked for.
struct BodyPlace: Sendable {
    /// The index in `BinlogContents.files`.
    var file: Int32
    var count: Int32
    var offset: Int
}
