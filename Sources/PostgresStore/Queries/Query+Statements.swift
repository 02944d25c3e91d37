import QueueCore

/// Translates a query to statements, and their results to its answer.
extension Query {
    var isWriting: Bool {
        switch self {
        case .refill(_, _, _, _, .none), .poll, .fetch, .peek, .first, .job, .tube: false
        case .refill, .reserve, .delete, .kick, .kickJob, .sweep, .endLeases, .openTube, .pause, .putUnique: true
        }
    }

    /// True if it takes leases.
    var isClaiming: Bool {
        switch self {
        case .refill(_, _, _, _, let claim): claim != .none
        case .reserve: true
        default: false
        }
    }

    /// What the query does, for the log, if no client hears of its failure.
    var backgroundTask: String? {
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
            // From the first key on a refill also finds rows with a smaller key, which no job can have.
            parameters.add(from == .first ? Int64.min : Int64(from.priority))
            parameters.add(Int64(clamping: from.id))
            parameters.add(Int64(limit))
            parameters.add(Int64(bodyLimit))
            switch claim {
            case .none: return [(.refillSole, parameters)]
            case .free:
                parameters.add(epoch)
                return [(.refill, parameters)]
            }
        case .poll(let tubes):
            parameters.add(int4s: tubes)
            return [(.poll, parameters)]
        case .fetch(let id, let isSole):
            parameters = Query.parameters(id, epoch)
            parameters.add(isSole)
            return [(.fetchBody, parameters)]
        case .reserve(let id): return [(.reserve, Query.parameters(id, epoch))]
        case .delete(let id, let isRecorded):
            return [(isRecorded ? .deleteToHistory : .deleteUnleased, Query.parameters(id, epoch))]
        case .kick(let tube, let bound, let state):
            parameters.add(tube)
            parameters.add(Int64(bound))
            parameters.add(Int32(state?.rawValue ?? 0))
            return [(.kick, parameters)]
        case .kickJob(let id): return [(.kickJob, Query.parameters(id))]
        case .peek(let id): return [(.peek, Query.parameters(id))]
        case .job(let id): return [(.describe, Query.parameters(id))]
        case .tube(let name, _):
            parameters.add(name.description)
            return [(.findTube, parameters)]
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
        // No row has an id beyond a bigint: none is found.
        parameters.add(Int64(clamping: id))
        if let epoch { parameters.add(epoch) }
        return parameters
    }

    func answer(from results: inout ArraySlice<Rows>) -> Answer {
        let rows = results.removeFirst()
        switch self {
        case .refill: return .rows(rows.jobs.sorted { $0.key < $1.key })
        case .reserve, .delete, .peek, .first, .job: return .rows(rows.jobs)
        case .tube:
            let column = rows.columns(TubeColumns.self)
            return .tubes(rows.indices.compactMap { TubeRow(rows, $0, column) })
        case .fetch: return .body(rows.values([UInt8].self).first)
        case .poll:
            let column = rows.columns(FirstKeyColumns.self)
            return .keys(
                rows.indices.map { row in
                    (rows[row, column.tube], JobKey(nearest: rows[row, column.priority], rows[row, column.job]))
                })
        case .kick, .kickJob: return .readied(rows.readied)
        case .sweep(let limit):
            let nextDue = results.removeFirst().values(Int64.self).first
            let readied = rows.readied
            return .swept(
                readied, more: readied.reduce(0) { $0 + $1.count } == limit,
                nextDue: nextDue)
        case .endLeases: return .done
        case .openTube where rows.count == 0, .pause where rows.count == 0: return .refused(.busy)
        case .putUnique:
            let found = results.removeFirst()
            if rows.value(Bool.self) { return .put(.inserted) }
            // Another transaction is putting a job with the key, or the job has gone meanwhile.
            guard found.count == 1 else { return .refused(.busy) }
            let column = found.columns(FoundJobColumns.self)
            guard let state = StoredState(rawValue: found[0, column.state]),
                let id = JobID(exactly: found[0, column.id])
            else { return .refused(.failed) }
            return .put(.exists(id, state, isReserved: found[0, column.isReserved]))
        case .openTube, .pause:
            let column = rows.columns(MadeTubeColumns.self)
            return .tube(rows[0, column.tube], isNew: rows[0, column.isNew])
        }
    }
}

/// The smallest claimable key of a tube.
struct FirstKeyColumns: RowColumns {
    let tube: Column<TubeID>
    let priority: Column<Int64>
    let job: Column<Int64>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        priority = column("priority")
        job = column("job_id")
    }
}

/// A job that was found by its key.
struct FoundJobColumns: RowColumns {
    let id: Column<Int64>
    let state: Column<Int16>
    let isReserved: Column<Bool>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        state = column("state")
        isReserved = column("is_reserved")
    }
}

struct MadeTubeColumns: RowColumns {
    let tube: Column<TubeID>
    let isNew: Column<Bool>

    init(_ column: inout ColumnFinder) {
        tube = column("id")
        isNew = column("is_new")
    }
}

extension Answer {
    var flaws: [JobRow.Flaw] {
        if case .rows(let rows) = self { rows.compactMap(\.flaw) } else { [] }
    }

    /// What the query did to the counts of tubes. The answer to a delete is the deleted row.
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
