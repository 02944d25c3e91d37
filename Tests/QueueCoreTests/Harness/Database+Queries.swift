@testable import QueueCore

/// The reader's statements, naively.
extension Database {
    /// Answers in one transaction; `nil` when the epoch is dead and something had to be written.
    mutating func run(_ queries: [Query], epoch: Int64, at now: Instant) -> [Answer]? {
        guard epochs.contains(epoch) || !queries.contains(where: \.isWriting) else { return nil }
        return queries.map { run($0, epoch: epoch, at: now) }
    }

    mutating func run(_ query: Query, epoch: Int64, at now: Instant) -> Answer {
        switch query {
        case .refill(let tube, let from, let limit, let bodyLimit, let claim):
            let own = claim == .free ? [] : ownReady(in: tube, epoch)
            let found = (claimable(in: tube) + own).sorted { $0.key < $1.key }.filter { $0.key >= from }.prefix(limit)
            if claim == .none { return .rows(found.map { jobRow($0, bodyLimit: bodyLimit, at: now) }) }
            return .rows(lease(found, epoch, bodyLimit: bodyLimit, at: now))
        case .poll(let tubes):
            return .keys(tubes.compactMap { tube in claimable(in: tube).first.map { (tube: tube, key: $0.key) } })
        case .fetch(let id, let isSole):
            return .body(rows[id].flatMap { isSole || $0.lease == epoch ? $0.body : nil })
        case .reserve(let id):
            guard let row = rows[id], isFree(row) || row.lease == epoch else { return .rows([]) }
            lease(id, to: epoch)
            return .rows([jobRow(id, at: now, withBody: true)])
        case .delete(let id):
            guard let row = rows[id], isFree(row) || row.lease == epoch else { return .rows([]) }
            defer { rows[id] = nil }
            return .rows([jobRow(id, at: now, withBody: false)])
        case .kick(let tube, let bound, let state): return .readied(kick(tube, bound: bound, state: state))
        case .kickJob(let id):
            guard let row = rows[id], isFree(row), row.state != .ready else { return .readied([]) }
            return .readied(makeReady([id], isKick: true))
        case .peek(let id): return .rows(rows[id] == nil ? [] : [jobRow(id, at: now, withBody: true)])
        case .job(let id): return .rows(rows[id] == nil ? [] : [jobRow(id, at: now, withBody: false)])
        case .first(let tube, let state, let except):
            return .rows(
                free(in: tube, state).filter { !except.contains($0) }.prefix(1).map {
                    jobRow($0, at: now, withBody: true)
                })
        case .sweep(let limit): return sweep(limit: limit, at: now)
        case .openTube(let name):
            let opened = openTube(name)
            return .tube(opened.id, isNew: opened.isNew)
        case .pause(let name, let seconds):
            let opened = openTube(name)
            tubes[Int(opened.id) - 1].pause = seconds
            tubes[Int(opened.id) - 1].pausedUntil = seconds > 0 ? now + .seconds(seconds) : nil
            return .tube(opened.id, isNew: opened.isNew)
        }
    }

    private func ownReady(in tube: TubeID, _ epoch: Int64) -> [Row] {
        rows.values.filter { $0.tube == tube && $0.state == .ready && $0.lease == epoch }
    }

    /// What another broker, which is dead, said of its reservation is over.
    mutating func lease(_ id: JobID, to epoch: Int64) {
        guard rows[id]?.lease != epoch else { return }
        rows[id]?.lease = epoch
        rows[id]?.reservedAt = nil
        rows[id]?.reservedUntil = nil
    }

    private mutating func lease(
        _ taken: ArraySlice<Row>, _ epoch: Int64, bodyLimit: Int, at now: Instant
    ) -> [JobRow] {
        taken.map { row in
            lease(row.id, to: epoch)
            return jobRow(row, bodyLimit: bodyLimit, at: now)
        }
    }

    private func jobRow(_ row: Row, bodyLimit: Int, at now: Instant) -> JobRow {
        jobRow(row.id, at: now, withBody: row.body.count <= bodyLimit)
    }

    /// Free jobs of a tube in a stored state, in the order of that state.
    func free(in tube: TubeID, _ state: StoredState) -> [JobID] {
        let found = rows.values.filter { $0.tube == tube && $0.state == state && isFree($0) }
        switch state {
        case .ready: return found.sorted { $0.key < $1.key }.map(\.id)
        case .delayed: return found.sorted { ($0.due, $0.id) < ($1.due, $1.id) }.map(\.id)
        case .buried: return found.sorted { ($0.buryOrder ?? 0) < ($1.buryOrder ?? 0) }.map(\.id)
        }
    }

    private mutating func kick(_ tube: TubeID, bound: Int, state: StoredState?) -> [Readied] {
        let buried = state == .delayed ? [] : free(in: tube, .buried)
        let delayed = state == .buried || !buried.isEmpty ? [] : free(in: tube, .delayed)
        return makeReady(Array((buried + delayed).prefix(bound)), isKick: true)
    }

    private mutating func sweep(limit: Int, at now: Instant) -> Answer {
        let due = rows.values.filter { $0.state == .delayed && isFree($0) && $0.due <= now }
        let ids = due.sorted { $0.due < $1.due }.prefix(limit).map(\.id)
        let readied = makeReady(ids, isKick: false)
        let next = rows.values.filter { $0.state == .delayed && isFree($0) }.map(\.due).min()
        return .swept(readied, more: ids.count == limit, nextDue: next.map { ($0 - now).microseconds })
    }

    private mutating func makeReady(_ ids: [JobID], isKick: Bool) -> [Readied] {
        struct Group: Hashable {
            var tube: TubeID
            var from: StoredState
        }
        var groups: [Group: [JobKey]] = [:]
        for id in ids {
            guard let row = rows[id] else { continue }
            groups[Group(tube: row.tube, from: row.state), default: []].append(row.key)
            rows[id]?.state = .ready
            rows[id]?.lease = nil
            rows[id]?.reservedAt = nil
            rows[id]?.reservedUntil = nil
            if isKick {
                rows[id]?.buryOrder = nil
                rows[id]?.counters.kicks += 1
            }
        }
        return groups.map { group, keys in
            Readied(
                tube: group.tube, from: group.from, count: keys.count,
                urgent: keys.count { $0.priority < StateCounts.urgentPriority }, first: keys.min() ?? .end)
        }
    }

    private func jobRow(_ id: JobID, at now: Instant, withBody: Bool) -> JobRow {
        guard let row = rows[id] else { preconditionFailure("no such row") }
        return JobRow(
            id: id, tube: row.tube, state: row.state, priority: row.priority, ttr: row.ttr, delay: row.delay,
            age: (now - row.created).microseconds, left: ((row.reservedUntil ?? row.due) - now).microseconds,
            isReserved: isReserved(row), counters: row.counters, lease: row.lease, body: withBody ? row.body : nil)
    }
}

extension Query {
    /// Whether its transaction is fenced.
    var isWriting: Bool {
        switch self {
        case .refill, .reserve, .delete, .kick, .kickJob, .sweep, .openTube, .pause: true
        case .poll, .fetch, .peek, .first, .job: false
        }
    }
}
