@testable import QueueCore

/// The reader's statements, done naively.
extension Database {
    /// Answers in one transaction; `nil` when the epoch is dead and something had to be written.
    func run(_ queries: [Query], epoch: Int64, at now: Instant) -> [Answer]? {
        guard epochs.contains(epoch) || !queries.contains(where: \.isWriting) else { return nil }
        begin(epoch, at: now)
        return queries.map { run($0, epoch: epoch, at: now) }
    }

    func run(_ query: Query, epoch: Int64, at now: Instant) -> Answer {
        switch query {
        case .refill(let tube, let from, let limit, let bodyLimit, let claim):
            return .rows(refill(tube, from, limit, claim, epoch).map { jobRow($0.id, bodyLimit: bodyLimit, at: now) })
        case .poll(let tubes):
            return .keys(tubes.compactMap { tube in claimable(in: tube).first.map { (tube: tube, key: $0) } })
        case .fetch(let id, let isSole):
            return .body(rows[id].flatMap { isSole || $0.lease == epoch ? $0.body : nil })
        case .reserve(let id):
            guard let row = rows[id], isFree(row) || row.lease == epoch else { return .rows([]) }
            lease(id, to: epoch)
            return .rows([jobRow(id, at: now)])
        case .delete(let id, let isRecorded):
            guard let row = rows[id], isFree(row) || row.lease == epoch else { return .rows([]) }
            if isRecorded, policies[row.tube]?.keepsHistory ?? false { history.append(id) }
            defer { write(id, nil) }
            return .rows([jobRow(id, bodyLimit: -1, at: now)])
        case .kick(let tube, let bound, let state):
            return .readied(kick(tube, bound: bound, state: state, epoch))
        case .kickJob(let id):
            guard let row = rows[id], isFree(row), row.state != .ready else { return .readied([]) }
            journal.kicks[epoch, default: 0] += 1
            return .readied(makeReady([id], isKick: true))
        case .peek(let id): return .rows(rows[id] == nil ? [] : [jobRow(id, at: now)])
        case .job(let id): return .rows(rows[id] == nil ? [] : [jobRow(id, bodyLimit: -1, at: now)])
        case .tube(let name, _):
            return .tubes(
                tubeRows(at: now).filter { $0.name == name && ($0.counts.total > 0 || $0.pauseLeft > 0) })
        case .first(let tube, let state, let except):
            return .rows(free(in: tube, state).first { !except.contains($0) }.map { [jobRow($0, at: now)] } ?? [])
        case .sweep(let limit): return sweep(limit: limit, at: now)
        // Leases end by themselves (see `look`), since a roll back undoes rows alone.
        case .endLeases: return .done
        case .putUnique(let put) where !isOpen(put.tube): return .refused(.tubeGone)
        case .putUnique(let put): return putUnique(put, at: now).map { .put($0) } ?? .refused(.busy)
        case .openTube(let name):
            let opened = openTube(name)
            return .tube(opened.id, isNew: opened.isNew)
        case .pause(let name, let seconds):
            let opened = openTube(name)
            if let at = tubes.firstIndex(where: { $0.id == opened.id }) {
                tubes[at].pause = seconds
                tubes[at].pausedUntil = seconds > 0 ? clock(now) + .seconds(seconds) : nil
                stamp(opened.id)
            }
            return .tube(opened.id, isNew: opened.isNew)
        }
    }

    /// `nil`: a transaction that is not over is putting a job with the key.
    private func putUnique(_ put: UniquePut, at now: Instant) -> UniquePut.Outcome? {
        func isIt(_ row: Row) -> Bool { row.tube == put.tube && row.uniqueKey == put.key }
        if let row = rows.values.first(where: isIt) {
            return .exists(row.id, row.state, isReserved: isReserved(row))
        }
        if unborn.values.contains(where: isIt) { return nil }
        write(
            put.id,
            Row(
                id: put.id, tube: put.tube, state: put.job.state, priority: put.job.priority, ttr: put.job.ttr,
                delay: put.job.delay,
                created: clock(now), due: clock(now) + .seconds(put.job.delay), body: put.job.body, uniqueKey: put.key))
        return .inserted
    }

    private func refill(
        _ tube: TubeID, _ from: JobKey, _ limit: Int, _ claim: Claim, _ epoch: Int64
    ) -> ArraySlice<JobKey> {
        let found = keys { row in
            guard row.tube == tube, row.state == .ready, row.key >= from else { return false }
            switch claim {
            case .none: return true
            case .free: return !locked.contains(row.id) && (isFree(row) || mistake == .refillIgnoresLeases)
            }
        }.prefix(limit)
        if claim != .none { for key in found { lease(key.id, to: epoch) } }
        return found
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

    private func kick(_ tube: TubeID, bound: Int, state: StoredState?, _ epoch: Int64) -> [Readied] {
        let buried = state == .delayed ? [] : free(in: tube, .buried).filter { !locked.contains($0) }
        let delayed =
            state == .buried || !buried.isEmpty ? [] : free(in: tube, .delayed).filter { !locked.contains($0) }
        let kicked = (buried + delayed).prefix(bound)
        journal.kicks[epoch, default: 0] += kicked.count
        return makeReady(kicked, isKick: true)
    }

    private func sweep(limit: Int, at now: Instant) -> Answer {
        let delayed = rows.values.filter { $0.state == .delayed && isFree($0) }
        let due = delayed.filter { $0.due <= clock(now) && (!locked.contains($0.id)) }
        let ids = due.sorted { ($0.due, $0.id) < ($1.due, $1.id) }.prefix(limit).map(\.id)
        let readied = makeReady(ids[...], isKick: false)
        let next = delayed.lazy.filter { self.rows[$0.id]?.state == .delayed }.map(\.due).min()
        return .swept(readied, more: ids.count == limit, nextDue: next.map { ($0 - clock(now)).microseconds })
    }

    private func makeReady(_ ids: ArraySlice<JobID>, isKick: Bool) -> [Readied] {
        var groups: [Readied] = []
        for id in ids {
            guard var row = rows[id] else { continue }
            let at =
                groups.firstIndex { $0.tube == row.tube && $0.from == row.state }
                ?? {
                    groups.append(Readied(tube: row.tube, from: row.state, count: 0, urgent: 0, first: .end))
                    return groups.count - 1
                }()
            groups[at].count += 1
            groups[at].urgent += row.priority < StateCounts.urgentPriority ? 1 : 0
            groups[at].first = min(groups[at].first, row.key)
            row.state = .ready
            row.lease = nil
            row.reservedAt = nil
            row.reservedUntil = nil
            if isKick {
                row.buryOrder = nil
                row.counters.kicks += 1
            }
            write(id, row)
        }
        return groups
    }

    private func jobRow(_ id: JobID, bodyLimit: Int = .max, at now: Instant) -> JobRow {
        guard let row = rows[id] else { preconditionFailure("no such row") }
        return JobRow(
            id: id, tube: row.tube, state: row.state, priority: row.priority, ttr: row.ttr, delay: row.delay,
            age: (clock(now) - row.created).microseconds,
            left: ((row.reservedUntil ?? row.due) - clock(now)).microseconds,
            isReserved: isReserved(row), counters: row.counters, lease: row.lease,
            body: row.body.count <= bodyLimit ? row.body : nil)
    }
}

extension Query {
    /// Whether the query changes something, so that its transaction is fenced.
    var isWriting: Bool {
        switch self {
        case .refill(_, _, _, _, .none), .poll, .fetch, .peek, .first, .job, .tube: false
        case .refill, .reserve, .delete, .kick, .kickJob, .sweep, .endLeases, .openTube, .pause, .putUnique: true
        }
    }

    /// The row that the query waits for when somebody has locked it.
    var awaited: JobID? {
        switch self {
        case .reserve(let id), .delete(let id, _), .kickJob(let id): id
        default: nil
        }
    }
}
