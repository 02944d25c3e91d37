/// The commands and replies of a run's clients, in the order of time.
struct History: Sendable {
    var events: [Event] = []
    /// The jobs that are in the database at the end.
    var left: [LeftJob] = []

    struct LeftJob: Sendable {
        var id: UInt64
        /// Nil for bytes that no client has put.
        var body: Body?
    }

    /// The events of one job, one a line: its commands and replies, the beginnings and ends of their connections, and the
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
    /// The put that made the job, if the event names it.
    fileprivate func token(of id: UInt64) -> Int? {
        if case .got(.reserved(id, let body)) = self { body?.token } else { nil }
    }
}

/// An event on a client's connection.
struct Event: Sendable {
    /// Seconds since the start of the run, on one monotonic clock.
    var time: Double
    /// The connection's number, unique in a run; 0 for events without a connection.
    var connection: Int
    var what: What

    enum What: Sendable, Equatable {
        /// The connection is open: the process of its broker, and the number of the proxy on the way, 0 for none.
        case opened(broker: Int32, proxy: Int = 0)
        /// Noted before the command is sent: the broker may do it and end before it answers.
        case sent(Request)
        /// The answer to the last command.
        case got(Reply)
        /// The client closes the connection, which was open until then.
        case closed
        /// The client has found the connection closed, at an unknown earlier time.
        case lost
        /// From now on the clients of a proxy may not be told that the broker has closed their connections.
        case silenced(proxy: Int)
        /// From now on this broker closes its connections before it releases their jobs. A client's thread may notice
        /// that later.
        case ending(broker: Int32)
        /// A broker was alive in the database: its process, its epoch, and when the database was asked.
        case seen(broker: Int32, epoch: Int64)
        /// A fault begins or ends.
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

    /// The job that the command names.
    var id: UInt64? {
        switch self {
        case .delete(let id), .release(let id), .bury(let id), .touch(let id), .peek(let id): id
        case .put, .reserve, .kick: nil
        }
    }
}

extension Reply {
    /// The job that the reply names.
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
    /// INTERNAL_ERROR or OUT_OF_MEMORY: the command was not done and will not be.
    case refused
    /// TIMED_OUT or DEADLINE_SOON, which name no job.
    case nothing
    /// An answer that the command must not get.
    case unexpected(String)
}
