import QueueCore

/// A query as statements, and their results as its answer.
extension Query {
    var isWriting: Bool {
        switch self {
        case .refill(_, _, _, _, .none), .poll, .fetch, .peek, .first, .job: false
        case .refill, .reserve, .delete, .kick, .kickJob, .sweep, .endLeases, .openTube, .pause, .putUnique: true
        }
    }

    /// Whether it takes leases.
    var isClaiming: Bool {
        switch self {
        case .refill(_, _, _, _, let claim): claim != .none
        case .reserve: true
        default: false
        }
    }

    /// What it does of which no client hears when it is refused.
    var chore: String? {
        switch self {
        case .refill: "read the next ready jobs"
        case .poll: "look for jobs that others have made ready"
        case .sweep: "make delayed jobs ready"
        case .endLeases: "end the reservations of SQL sessions"
        default: nil
        }
    }

    func statements(epoch: Int64) -> [(Statement, Parameters)] {
        var parameters = Parameters()
        switch self {
        case .refill(let tube, let from, let limit, let bodyLimit, let claim):
            parameters.add(tube)
            // From the first key on: also what has a smaller one, which no job can have, is to be found out.
            parameters.add(from == .first ? Int64.min : Int64(from.priority))
            parameters.add(Int64(clamping: from.id))
            parameters.add(Int64(limit))
            parameters.add(Int64(bodyLimit))
            switch claim {
            case .none: return [(.read, parameters)]
            case .free:
                parameters.add(epoch)
                return [(.refill, parameters)]
            case .freeAndOwn:
                parameters.add(epoch)
                return [(.refillOwn, parameters)]
            }
        case .poll(let tubes):
            parameters.add(int4s: tubes)
            return [(.poll, parameters)]
        case .fetch(let id, let isSole):
            parameters = Query.parameters(id, epoch)
            parameters.add(isSole)
            return [(.fetch, parameters)]
        case .reserve(let id): return [(.reserve, Query.parameters(id, epoch))]
        case .delete(let id, let isRecorded):
            return [(isRecorded ? .removeRecorded : .remove, Query.parameters(id, epoch))]
        case .kick(let tube, let bound, let state):
            parameters.add(tube)
            parameters.add(Int64(bound))
            parameters.add(Int32(state?.rawValue ?? 0))
            return [(.kick, parameters)]
        case .kickJob(let id): return [(.kickJob, Query.parameters(id))]
        case .peek(let id): return [(.peek, Query.parameters(id))]
        case .job(let id): return [(.describe, Query.parameters(id))]
        case .first(let tube, let state, let except):
            parameters.add(tube)
            parameters.add(int8s: except.map { Int64(clamping: $0) })
            let statement: Statement =
                switch state {
                case .ready: .firstReady
                case .delayed: .firstDelayed
                case .buried: .firstBuried
                }
            return [(statement, parameters)]
        case .sweep(let limit):
            parameters.add(Int64(limit))
            return [(.sweep, parameters), (.nextDue, Parameters())]
        case .endLeases: return [(.endLeases, Parameters())]
        case .openTube(let name):
            parameters.add(name.description)
            return [(.openTube, parameters)]
        case .putUnique(let put):
            parameters.add(put.tube)
            parameters.add(put.key)
            let find = parameters
            parameters.add(Int64(put.id))
            parameters.add(Int64(put.job.priority))
            parameters.add(Int64(put.job.delay))
            parameters.add(Int64(put.job.ttr))
            parameters.add(put.job.body)
            return [(.putUnique, parameters), (.findUnique, find)]
        case .pause(let name, let seconds):
            parameters.add(name.description)
            parameters.add(Int64(seconds))
            return [(.pause, parameters)]
        }
    }

    private static func parameters(_ id: JobID, _ epoch: Int64? = nil) -> Parameters {
        var parameters = Parameters()
        // No job has an id beyond a bigint: none is found.
        parameters.add(Int64(clamping: id))
        if let epoch { parameters.add(epoch) }
        return parameters
    }

    func answer(from results: inout ArraySlice<Rows>) -> Answer {
        let rows = results.removeFirst()
        switch self {
        case .refill: return .rows(rows.jobs.sorted { $0.key < $1.key })
        case .reserve, .delete, .peek, .first, .job: return .rows(rows.jobs)
        case .fetch: return .body(rows.count == 0 ? nil : rows.bytes(0, 0))
        case .poll:
            return .keys(
                (0..<rows.count).map { row in
                    (rows.int32(row, 0), JobKey(nearest: rows.int64(row, 1), rows.int64(row, 2)))
                })
        case .kick, .kickJob: return .readied(rows.readied)
        case .sweep(let limit):
            let due = results.removeFirst()
            let readied = rows.readied
            return .swept(
                readied, more: readied.reduce(0) { $0 + $1.count } == limit,
                nextDue: due.count == 0 ? nil : due.int64(0, 0))
        case .endLeases: return .done
        case .openTube where rows.count == 0, .pause where rows.count == 0: return .refused(.busy)
        case .putUnique:
            let found = results.removeFirst()
            if rows.bool(0, 0) { return .put(.inserted) }
            // Somebody has not finished putting one, or it has gone meanwhile.
            guard found.count == 1 else { return .refused(.busy) }
            guard let state = StoredState(rawValue: found.int16(0, 1)), let id = JobID(exactly: found.int64(0, 0))
            else { return .refused(.failed) }
            return .put(.exists(id, state, isReserved: found.bool(0, 2)))
        case .openTube, .pause: return .tube(rows.int32(0, 0), isNew: rows.bool(0, 1))
        }
    }
}

extension Answer {
    var flaws: [JobRow.Flaw] {
        if case .rows(let rows) = self { rows.compactMap(\.flaw) } else { [] }
    }

    /// What it did to the counts of tubes; a delete's answer is the row that is gone.
    func changes(of query: Query) -> [(tube: TubeID, counts: StateCounts)] {
        switch (query, self) {
        case (.delete, .rows(let rows)):
            rows.map { row in
                var counts = StateCounts()
                counts.add(-1, row.state, priority: row.priority)
                return (row.tube, counts)
            }
        case (.putUnique(let put), .put(.inserted)):
            [(put.tube, put.counts)]
        case (_, .readied(let readied)), (_, .swept(let readied, _, _)): readied.map { ($0.tube, $0.change) }
        default: []
        }
    }
}
