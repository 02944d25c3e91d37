import AdminAPI
import Foundation
import QueueCore

/// A search for jobs by a filter, in the order of their ids, which goes on until it has enough or its time is over.
///
/// Few jobs are found by the indexes that have the tube. Many are not: there the search walks all jobs by their ids, a
/// part at a time, and finds what is asked for often enough.
struct JobSearch {
    /// Above so many jobs of a tube in a state the walk by ids is better.
    static let fewJobs = 50_000

    let connection: Connection
    let filter: JobFilter
    private let now = Date()
    private let deadline = ContinuousClock.now + .seconds(AdminStore.searchTime)

    init(_ connection: Connection, _ filter: JobFilter) {
        self.connection = connection
        self.filter = filter
    }

    struct Found {
        var ids: [Int64] = []
        /// The last id that was looked at; `nil` when all have been.
        var searchedTo: Int64?
    }

    /// The first ids above `after` that match, `limit` at most.
    func ids(after: Int64, limit: Int) throws -> Found {
        let after = max(after, (filter.idFrom ?? 1) - 1)
        guard let tubes = try tubes() else {
            if let some = try tubesWithJobs(), let candidates = try candidates(some, after) {
                return try sift(candidates, after, limit, nil)
            }
            return try walk(after, limit, tubes: nil)
        }
        guard !tubes.isEmpty else { return Found() }
        guard let candidates = try candidates(tubes, after) else { return try walk(after, limit, tubes: tubes) }
        return try sift(candidates, after, limit, tubes)
    }

    /// How many match.
    func count() throws -> JobCount {
        let tubes = try tubes()
        if let tubes {
            guard !tubes.isEmpty else { return JobCount(count: 0, isPartial: false) }
            if let candidates = try candidates(tubes, 0) {
                let found = try sift(candidates, 0, candidates.count, tubes)
                return JobCount(count: Int64(found.ids.count), isPartial: found.searchedTo != nil)
            }
        }
        if tubes == nil, let some = try tubesWithJobs(), let candidates = try candidates(some, 0) {
            let found = try sift(candidates, 0, candidates.count, nil)
            return JobCount(count: Int64(found.ids.count), isPartial: found.searchedTo != nil)
        }
        var count: Int64 = 0
        var after = max(0, (filter.idFrom ?? 1) - 1)
        var part = SearchPart()
        while let last = try last(after, part.size) {
            count += try part.timed {
                try connection.ask(.countInRange, parameters(after, last, tubes, limit: 1)).value(Int64.self)
            }
            after = last
            if isOver { return JobCount(count: count, isPartial: true) }
        }
        return JobCount(count: count, isPartial: false)
    }

    /// Locks those of these jobs that match and that nobody has, in the transaction that is open, after `openBatch`.
    func lock(_ ids: [Int64]) throws -> [Int64] { try among(ids, .lockMatching) }

    /// Those of these jobs that match and that no client has: another transaction has them locked, or a broker leased.
    func inUse(_ ids: [Int64]) throws -> [Int64] { try among(ids, .matchingInUse) }

    private func among(_ ids: [Int64], _ statement: Statement) throws -> [Int64] {
        guard !ids.isEmpty else { return [] }
        var parameters = parameters(0, nil, try tubes(), limit: ids.count)
        parameters.add(int8s: ids)
        return try connection.ask(statement, parameters).values(Int64.self)
    }

    private var isOver: Bool { .now > deadline }

    // MARK: Tubes and candidates

    /// The tubes of the filter; `nil` for all.
    private func tubes() throws -> [TubeID]? {
        guard let name = filter.tube, name != "*" else { return nil }
        var parameters = Parameters()
        if name.hasSuffix("*") {
            parameters.add(String(name.dropLast()))
            return try connection.ask(.tubesWithPrefix, parameters).values()
        }
        parameters.add(texts: [name])
        return try connection.ask(.tubesNamed, parameters).values()
    }

    /// The tubes that may have jobs of the state of the filter; `nil` if it has none, or there are too many.
    private func tubesWithJobs() throws -> [TubeID]? {
        guard let state = filter.state.flatMap({ JobSummary.number(ofState: $0) }) else { return nil }
        if state == 3 { return try connection.ask(.tubesWithHeldJobs).values() }
        var parameters = Parameters()
        parameters.add(state)
        let tubes: [TubeID] = try connection.ask(.tubesWithJobs, parameters).values()
        return tubes.count > 20_000 ? nil : tubes
    }

    /// The jobs that the tubes and the state leave; `nil` if there are many.
    private func candidates(_ tubes: [TubeID], _ after: Int64) throws -> [Int64]? {
        let states: [Int16] = filter.state.flatMap { JobSummary.number(ofState: $0) }.map { [$0] } ?? [0, 1, 2]
        var parameters = Parameters()
        if states == [3] {
            return try connection.heldCandidates(tubes, after: after, limit: JobSearch.fewJobs)
        }
        parameters.add(int4s: tubes)
        let counts = try connection.ask(.tubeCounts, parameters)
        let column = counts.columns(StoredCountColumns.self)
        var total: Int64 = 0
        if states.contains(0) { total += counts[0, column.ready] }
        if states.contains(1) { total += counts[0, column.delayed] }
        if states.contains(2) { total += counts[0, column.buried] }
        guard total <= JobSearch.fewJobs else { return nil }
        parameters = Parameters()
        parameters.add(after)
        parameters.add(int4s: tubes)
        parameters.add(int2s: states)
        parameters.add(Int32(2 * JobSearch.fewJobs))
        let ids = try connection.ask(.jobCandidates, parameters).values(Int64.self)
        return ids.count < 2 * JobSearch.fewJobs ? ids : nil
    }

    // MARK: Parts

    private func sift(_ candidates: [Int64], _ after: Int64, _ limit: Int, _ tubes: [TubeID]?) throws -> Found {
        var found = Found()
        var rest = candidates[...]
        var part = SearchPart()
        while !rest.isEmpty {
            let some = rest.prefix(part.size)
            rest = rest.dropFirst(some.count)
            found.ids += try part.timed {
                var parameters = parameters(after, nil, tubes, limit: limit - found.ids.count)
                parameters.add(int8s: some)
                return try connection.ask(.matchingAmong, parameters).values(Int64.self)
            }
            if found.ids.count >= limit {
                if !rest.isEmpty || found.ids.last != some.last { found.searchedTo = found.ids.last }
                break
            }
            if isOver, !rest.isEmpty {
                found.searchedTo = some.last
                break
            }
        }
        return found
    }

    private func walk(_ after: Int64, _ limit: Int, tubes: [TubeID]?) throws -> Found {
        var found = Found()
        var after = after
        var part = SearchPart()
        while let last = try last(after, part.size) {
            found.ids += try part.timed {
                try connection.ask(.matchingInRange, parameters(after, last, tubes, limit: limit - found.ids.count))
                    .values(Int64.self)
            }
            after = last
            if found.ids.count >= limit {
                found.searchedTo = found.ids.last
                break
            }
            if isOver {
                found.searchedTo = last
                break
            }
        }
        return found
    }

    /// The end of the next part of the walk.
    private func last(_ after: Int64, _ size: Int) throws -> Int64? {
        var parameters = Parameters()
        parameters.add(after)
        parameters.add(optional: filter.idTo)
        parameters.add(Int32(size))
        let rows = try connection.ask(.lastOfNextIDs, parameters)
        return rows.optional(0, rows.columns(OnlyColumn<Int64>.self).value)
    }

    private func parameters(_ after: Int64, _ to: Int64?, _ tubes: [TubeID]?, limit: Int) -> Parameters {
        var parameters = Parameters()
        parameters.add(after)
        parameters.add(optional: to)
        if let tubes { parameters.add(int4s: tubes) } else { parameters.addNull() }
        parameters.add(optional: filter.state.flatMap { JobSummary.number(ofState: $0) })
        parameters.add(optional: filter.idFrom)
        parameters.add(optional: filter.idTo)
        parameters.add(optional: filter.priorityFrom)
        parameters.add(optional: filter.priorityTo)
        parameters.add(optional: filter.createdAfter?.microseconds)
        let before = [filter.createdBefore, filter.olderThan.map { now.addingTimeInterval(-$0) }].compactMap { $0 }
            .min()
        parameters.add(optional: before?.microseconds)
        parameters.add(optional: filter.body.map { Array($0.utf8) })
        parameters.add(Int32(limit))
        return parameters
    }
}

extension Connection {
    /// Jobs of these tubes above an id that somebody may have. The more are held, the more of each tube are read.
    func heldCandidates(_ tubes: [TubeID], after: Int64, limit: Int) throws -> [Int64] {
        guard !tubes.isEmpty else { return [] }
        var parameters = Parameters()
        parameters.add(int4s: tubes)
        let held = try ask(.heldJobs, parameters).value(Int64.self)
        let depth = min(1000 + 4 * held, 20_000, max(200, 200_000 / Int64(tubes.count)))
        parameters.add(after)
        parameters.add(Int32(limit))
        parameters.add(Int32(depth))
        return try ask(.reservedCandidates, parameters).values()
    }
}

/// The size of the next part of a search: so many jobs that it takes about a quarter of a second.
struct SearchPart {
    var size = 2000

    mutating func timed<Value>(_ body: () throws -> Value) rethrows -> Value {
        let start = ContinuousClock.now
        let value = try body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        if seconds < 0.1 { size = min(size * 3, 200_000) } else if seconds > 0.4 { size = max(size / 4, 50) }
        return value
    }
}
