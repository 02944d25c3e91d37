/// Finds violations in a history: events that no fault excuses.
///
/// A **hold** is certain from the receipt of RESERVED to the first of: the sending of the command that ends it, the end
/// of the connection, and the end of the time to run, counted from when the reserve or the last touch was sent. If that
/// command is answered as done, its commit was fenced: nobody else had the job before. In any other case the broker may
/// have been declared dead meanwhile, so the hold is certain only as long as the broker was seen alive in the database
/// with one epoch.
///
/// A broker that keeps its epoch closes a connection if the outcome of a command is unknown. The client may notice that
/// after somebody else was given its jobs, so its holds are certain only until that command was sent. Without an open
/// command a broker has no reason to close.
struct Checker {
    private var violations: [Violation] = []
    private var puts: [Int: PutState] = [:]
    private var jobs: [UInt64: JobState] = [:]
    private var connections: [Int: ConnectionState] = [:]
    /// The epochs of each process.
    private var lives: [Int32: [Life]] = [:]

    private struct PutState {
        var body: Body
        var id: UInt64?
        var isRefused = false
    }

    private struct JobState {
        var token: Int?
        var deletedAt: Double?
        /// True after a delete without an answer, or with an unclear one.
        var mayBeDeleted = false
        var holds: [Hold] = []
    }

    private struct ConnectionState {
        var broker: Int32
        var proxy: Int
        var request: (what: Request, sent: Double)?
        /// The jobs that the client holds.
        var holding: [UInt64: OpenHold] = [:]
        var isSilenced = false
    }

    private struct OpenHold {
        var start: Double
        var deadline: Double
    }

    private struct Hold {
        var start: Double
        var end: Double
        var connection: Int
    }

    private struct Life {
        var epoch: Int64
        var firstSeen: Double
        var lastSeen: Double
    }

    /// All violations in a history.
    static func violations(in history: History) -> [Violation] {
        var checker = Checker()
        let events = history.events.sorted { $0.time < $1.time }
        // This comes first: the certain end of a hold is computed from it.
        for event in events {
            if case .seen(let broker, let epoch) = event.what { checker.saw(broker, epoch, event.time) }
        }
        for event in events { checker.read(event) }
        for number in checker.connections.keys.sorted() { checker.close(number, at: .infinity) }
        checker.conclude(left: history.left)
        return checker.violations
    }

    private mutating func add(_ kind: Violation.Kind, _ id: UInt64?, _ what: String) {
        violations.append(Violation(kind: kind, id: id, what: what))
    }

    // MARK: Events

    private mutating func read(_ event: Event) {
        let number = event.connection
        switch event.what {
        case .opened(let broker, let proxy): connections[number] = ConnectionState(broker: broker, proxy: proxy)
        case .sent(let request): sent(request, number, event.time)
        case .got(let reply): got(reply, number, event.time)
        case .closed: close(number, at: event.time)
        case .lost: close(number, at: connections[number]?.request?.sent ?? event.time)
        case .silenced(let proxy): silence(at: event.time) { $0.proxy == proxy }
        case .ending(let broker): silence(at: event.time) { $0.broker == broker }
        case .seen, .struck, .mended: break
        }
    }

    private mutating func sent(_ request: Request, _ number: Int, _ time: Double) {
        connections[number]?.request = (request, time)
        if case .put(let body) = request { puts[body.token] = PutState(body: body) }
    }

    private mutating func got(_ reply: Reply, _ number: Int, _ time: Double) {
        guard let connection = connections[number], let (request, sent) = connection.request else { return }
        connections[number]?.request = nil
        switch (request, reply) {
        case (.put(let body), .inserted(let id)): inserted(body, id)
        case (.put(let body), .refused): puts[body.token]?.isRefused = true
        case (.reserve, .reserved(let id, let body)): reserved(id, body, number, sent, time)
        case (.delete(let id), .done):
            endHold(id, number, at: sent, isConfirmed: true)
            if jobs[id]?.deletedAt != nil { add(.doublyDeleted, id, "DELETED again at \(time)") }
            jobs[id, default: JobState()].deletedAt = time
        case (.release(let id), .done), (.bury(let id), .done):
            endHold(id, number, at: sent, isConfirmed: true)
        case (.touch(let id), .done):
            if let ttr = jobs[id]?.token.flatMap({ puts[$0]?.body.ttr }) {
                connections[number]?.holding[id]?.deadline = sent + Double(ttr)
            }
        case (.delete(let id), .notFound), (.release(let id), .notFound), (.bury(let id), .notFound),
            (.touch(let id), .notFound):
            if let hold = connection.holding[id], time < hold.deadline {
                add(.falseAnswer, id, "NOT_FOUND at \(time) to its holder, whose time ends at \(hold.deadline)")
            }
            endHold(id, number, at: sent, isConfirmed: false)
        case (.peek(let id), .found):
            if let deleted = jobs[id]?.deletedAt, deleted < sent {
                add(.resurrected, id, "DELETED at \(deleted), found by a peek sent at \(sent)")
            }
        case (_, .unexpected(let text)):
            add(.falseAnswer, request.id, "\(request) was answered \(text) at \(time)")
        default: break
        }
    }

    private mutating func inserted(_ body: Body, _ id: UInt64) {
        if let other = jobs[id]?.token, other != body.token {
            add(.wrongBody, id, "the id of both put \(body.token) and put \(other)")
        }
        if let other = puts[body.token]?.id, other != id {
            add(.doubled, id, "put \(body.token) was answered so, but job \(other) has its body")
        }
        jobs[id, default: JobState()].token = body.token
        puts[body.token]?.id = id
    }

    private mutating func reserved(_ id: UInt64, _ body: Body?, _ number: Int, _ sent: Double, _ time: Double) {
        guard let body = identify(id, body, "delivered at \(time)") else { return }
        if let deleted = jobs[id]?.deletedAt, deleted < sent {
            add(.resurrected, id, "DELETED at \(deleted), given to a reserve sent at \(sent)")
        }
        guard connections[number]?.isSilenced == false else { return }
        connections[number]?.holding[id] = OpenHold(start: time, deadline: sent + Double(body.ttr))
    }

    /// The put that a body belongs to; a violation if the job cannot have this body.
    private mutating func identify(_ id: UInt64, _ body: Body?, _ what: String) -> Body? {
        guard let body, let put = puts[body.token], put.body == body else {
            add(.wrongBody, id, "\(what): nobody has put \(body.map { "\($0)" } ?? "such bytes")")
            return nil
        }
        if let token = jobs[id]?.token, token != body.token {
            add(.wrongBody, id, "\(what): put \(body.token) instead of put \(token)")
        }
        if let other = put.id, other != id {
            add(.doubled, id, "\(what): put \(body.token) is job \(other), too")
        }
        jobs[id, default: JobState()].token = body.token
        puts[body.token]?.id = id
        return body
    }

    private mutating func close(_ number: Int, at time: Double) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        // A command without an answer ends the hold when it is sent: it may have been done.
        if case .delete(let id)? = connection.request?.what { jobs[id, default: JobState()].mayBeDeleted = true }
        for (id, hold) in connection.holding {
            let isEnding = connection.request?.what.id == id && connection.request?.what != .touch(id)
            let end = isEnding ? connection.request!.sent : time
            endHold(id, hold, number, connection.broker, at: end, isConfirmed: false)
        }
    }

    // MARK: Holds

    private mutating func endHold(_ id: UInt64, _ number: Int, at time: Double, isConfirmed: Bool) {
        guard let hold = connections[number]?.holding.removeValue(forKey: id), let broker = connections[number]?.broker
        else { return }
        endHold(id, hold, number, broker, at: time, isConfirmed: isConfirmed)
    }

    private mutating func endHold(
        _ id: UInt64, _ hold: OpenHold, _ number: Int, _ broker: Int32, at time: Double, isConfirmed: Bool
    ) {
        var end = min(time, hold.deadline)
        if !isConfirmed { end = min(end, lastSeen(broker, from: hold.start)) }
        guard hold.start < end else { return }
        jobs[id, default: JobState()].holds.append(Hold(start: hold.start, end: end, connection: number))
    }

    private mutating func saw(_ broker: Int32, _ epoch: Int64, _ time: Double) {
        if lives[broker]?.last?.epoch == epoch {
            lives[broker]![lives[broker]!.count - 1].lastSeen = time
        } else {
            lives[broker, default: []].append(Life(epoch: epoch, firstSeen: time, lastSeen: time))
        }
    }

    /// The last time at which the broker was seen alive with the epoch that it had at `start`.
    private func lastSeen(_ broker: Int32, from start: Double) -> Double {
        lives[broker]?.last { $0.firstSeen <= start }?.lastSeen ?? start
    }

    /// The clients of these connections may learn late, or never, that they have lost their jobs.
    private mutating func silence(at time: Double, where isConcerned: (ConnectionState) -> Bool) {
        for (number, connection) in connections where isConcerned(connection) {
            for id in connection.holding.keys { endHold(id, number, at: time, isConfirmed: false) }
            connections[number]?.isSilenced = true
        }
    }

    // MARK: The end

    private mutating func conclude(left: [History.LeftJob]) {
        var isLeft: Set<UInt64> = []
        for job in left {
            isLeft.insert(job.id)
            guard identify(job.id, job.body, "left in the database") != nil else { continue }
            if let deleted = jobs[job.id]?.deletedAt {
                add(.resurrected, job.id, "DELETED at \(deleted), and still in the database")
            } else {
                add(.left, job.id, "still in the database after everything had been given out")
            }
        }
        for (id, job) in jobs.sorted(by: { $0.key < $1.key }) {
            if job.token != nil, job.deletedAt == nil, !job.mayBeDeleted, !isLeft.contains(id) {
                add(.lost, id, "neither deleted nor in the database")
            }
            let holds = job.holds.sorted { $0.start < $1.start }
            for (one, other) in zip(holds, holds.dropFirst()) where other.start < one.end {
                add(
                    .overlapping, id,
                    "connection \(one.connection) from \(one.start) to \(one.end), "
                        + "connection \(other.connection) from \(other.start) to \(other.end)")
            }
        }
        for (token, put) in puts.sorted(by: { $0.key < $1.key }) where put.isRefused {
            if let id = put.id { add(.refusedYetDone, id, "put \(token) was answered with an error") }
        }
    }
}
