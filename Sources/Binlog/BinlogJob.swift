/// A job as beanstalkd would have it after a restart on its folder.
public struct BinlogJob: Sendable {
    public enum State: Sendable {
        case ready
        case delayed
        case buried
    }

    public let id: UInt64
    /// Index of its tube's name in `BinlogContents.tubes`.
    public let tube: Int32
    public internal(set) var state: State
    public internal(set) var priority: UInt32
    /// Seconds of the last delay asked for.
    public internal(set) var delay: UInt32
    public internal(set) var ttr: UInt32
    /// Nanoseconds since 1970.
    public let createdAt: Int64
    /// When it becomes, or became, ready, in nanoseconds since 1970; when it was made if the log does not tell.
    public internal(set) var dueAt: Int64
    public internal(set) var reserves: UInt32
    public internal(set) var timeouts: UInt32
    public internal(set) var releases: UInt32
    public internal(set) var buries: UInt32
    public internal(set) var kicks: UInt32
    /// From 1 on in the order of burial; 0 unless buried.
    public internal(set) var buryOrder = 0

    /// Bytes of the body, without its CRLF.
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

    /// Takes on what a later record says.
    mutating func update(_ record: Record) {
        priority = record.priority
        delay = UInt32(record.delay / 1_000_000_000)
        // As with a put, 0 is 1.
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
            // Nobody holds a job after a restart.
            case .ready, .reserved, .invalid: .ready
            }
    }
}

/// Where a body is: bodies stay in their files until they are asked for.
struct BodyPlace: Sendable {
    /// Index in `BinlogContents.files`.
    var file: Int32
    var count: Int32
    var offset: Int
}
