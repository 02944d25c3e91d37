/// What the clients of a run sent and were told, in the order of time.
struct History: Sendable {
    var events: [Event] = []
    /// The jobs that are in the database at the end.
    var left: [LeftJob] = []

    struct LeftJob: Sendable {
        var id: UInt64
        /// Nil for bytes that nobody put.
        var body: Body?
    }

    /// What concerns one job, a line an event: what was said about it, the lives of the connections that did, and the
    /// faults.
    func excerpt(about id: UInt64) -> String {
        let token = events.lazy.compactMap { $0.what.token(of: id) }.first
        func concerns(_ event: Event) -> Bool {
            switch event.what {
            case .sent(.put(let body)): body.token == token
            case .sent(let request): request.id == id
            case .got(let reply): reply.id == id
            default: false
            }
        }
        let connections = Set(events.filter(concerns).map(\.connection))
        var last: [Int: Event] = [:]
        var lines: [String] = []
        for event in events.sorted(by: { $0.time < $1.time }) {
            let isAnswer = if case .got = event.what { last[event.connection].map(concerns) ?? false } else { false }
            let isLife =
                switch event.what {
                case .opened, .closed, .lost: connections.contains(event.connection)
                case .struck, .mended, .silenced, .ending: true
                default: false
                }
            if concerns(event) || isAnswer || isLife {
                lines.append("\(event.time) s, connection \(event.connection): \(event.what)")
            }
            last[event.connection] = event
        }
        return lines.joined(separator: "\n")
    }
}

extension Event.What {
    /// The put that a job comes from, if this tells.
    fileprivate func token(of id: UInt64) -> Int? {
        if case .got(.reserved(id, let body)) = self { body?.token } else { nil }
    }
}

/// One thing that happened to a connection of a client.
struct Event: Sendable {
    /// Seconds since the start of the run, on one monotonic clock.
    var time: Double
    /// Names a connection; no two of a run share it. 0 for what concerns none.
    var connection: Int
    var what: What

    enum What: Sendable, Equatable {
        /// The connection is there, and leads to the broker of this process; through which proxy, 0 for none.
        case opened(broker: Int32, proxy: Int = 0)
        /// Noted before it is sent: the broker may do it without living to answer.
        case sent(Request)
        /// The answer to what was sent last.
        case got(Reply)
        /// The client closes the connection, which was open until now.
        case closed
        /// The client has found the connection closed; since when, it does not know.
        case lost
        /// From now on the clients of a proxy may not hear that the broker has closed their connections.
        case silenced(proxy: Int)
        /// From now on this broker closes its connections before it lets go of their jobs; but when a client's thread
        /// comes to take note of it is up to the machine.
        case ending(broker: Int32)
        /// A broker was seen in the database as alive: its process, its epoch, and when that was asked.
        case seen(broker: Int32, epoch: Int64)
        /// A fault begins, or has been mended.
        case struck(Fault)
        case mended(Fault)
    }
}

enum Request: Sendable, Equatable {
    case put(Body)
    case reserve
    case delete(UInt64)
    case release(UInt64)
    case bury(UInt64)
    case touch(UInt64)
    case peek(UInt64)
    case kick

    /// The job that it is about.
    var id: UInt64? {
        switch self {
        case .delete(let id), .release(let id), .bury(let id), .touch(let id), .peek(let id): id
        case .put, .reserve, .kick: nil
        }
    }
}

extension Reply {
    /// The job that it names.
    var id: UInt64? {
        switch self {
        case .inserted(let id), .reserved(let id, _), .found(let id): id
        default: nil
        }
    }
}

enum Reply: Sendable, Equatable {
    case inserted(UInt64)
    /// Nil for bytes that nobody put.
    case reserved(UInt64, Body?)
    case found(UInt64)
    /// DELETED, RELEASED, BURIED, TOUCHED, KICKED.
    case done
    case notFound
    /// INTERNAL_ERROR or OUT_OF_MEMORY: it was not done, and will not be.
    case refused
    /// Nothing about any job: TIMED_OUT, DEADLINE_SOON.
    case nothing
    /// What the command must not be answered.
    case unexpected(String)
}
