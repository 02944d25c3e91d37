public import AdminAPI
public import Foundation

extension AdminStore {
    /// Every broker of the queue. `isThis` is left to the caller.
    public func brokers() async throws -> [BrokerEntry] {
        try await read { connection in try connection.ask(.adminBrokers).brokers }
    }

    /// The policies of all tubes that have one.
    public func policies() async throws -> [Policy] {
        try await read { connection in try connection.policies(tube: nil) }
    }

    /// The policy of a tube; `nil` if it has none.
    public func policy(ofTube name: String) async throws -> Policy? {
        try await read { connection in try connection.policies(tube: name).first }
    }

    public func warnings() async throws -> [WarningEntry] {
        try await read { connection in try connection.ask(.adminWarnings).warnings }
    }

    public func warningCount() async throws -> Int {
        try await read { connection in Int(try connection.ask(.warningCount).value(Int64.self)) }
    }

    /// Jobs that somebody has, the longest held first, up to 1000.
    public func holders() async throws -> HolderPage {
        try await read { connection in
            let tubes = try connection.ask(.tubesWithHeldJobs).values(Int32.self)
            var parameters = Parameters()
            parameters.add(int4s: tubes)
            parameters.add(0 as Int64)
            parameters.add(5000 as Int32)
            let ids = try connection.ask(.reservedCandidates, parameters).values(Int64.self)
            let jobs = try connection.jobSummaries(ids).map(\.job).filter { $0.state == "reserved" }
            let sorted = jobs.sorted { ($0.reservedAt ?? .distantFuture) < ($1.reservedAt ?? .distantFuture) }
            return HolderPage(jobs: Array(sorted.prefix(1000)))
        }
    }

    /// Jobs that have ended, newest first, paged by key: `after` is where the page before ended, in microseconds since
    /// 1970, and the id there.
    public func history(
        tube: String?, outcome: String?, id: Int64?, finishedAfter: Date?, finishedBefore: Date?, limit: Int,
        after: (microseconds: Int64, id: Int64)?
    ) async throws -> HistoryPage {
        try await read { connection in
            let search = HistorySearch(
                tube: tube, isFinished: outcome.map { $0 == "finished" }, id: id,
                from: finishedAfter?.microseconds ?? 0, to: finishedBefore?.microseconds ?? .max, after: after)
            let (found, next) = try search.run(connection, limit: limit)
            return HistoryPage(jobs: found.map(\.entry), next: next.map { "\($0.microseconds)-\($0.id)" })
        }
    }
}

extension Connection {
    func policies(tube: String?) throws -> [Policy] {
        var parameters = Parameters()
        parameters.add(optional: tube)
        return try ask(.adminPolicies, parameters).policies
    }

    /// A job that has ended, if its tube keeps history.
    func endedJob(_ id: Int64) throws -> EndedJob? {
        try HistorySearch(tube: nil, isFinished: nil, id: id, from: 0, to: .max, after: nil, withBody: true)
            .run(self, limit: 1).found.first
    }
}

/// A search in the history, day by day from the newest, since there is no index but the partitions.
struct HistorySearch {
    let tube: String?
    let isFinished: Bool?
    let id: Int64?
    /// Microseconds since 1970.
    let from: Int64
    let to: Int64
    let after: (microseconds: Int64, id: Int64)?
    var withBody = false

    private static let day: Int64 = 86_400_000_000

    /// The jobs, and where the next page begins if there may be one.
    func run(
        _ connection: Connection, limit: Int
    ) throws -> (found: [EndedJob], next: (microseconds: Int64, id: Int64)?) {
        let deadline = ContinuousClock.now + .seconds(AdminStore.searchTime)
        var found: [EndedJob] = []
        // Times before the first partition, and between partitions, are in the one that catches the rest.
        var end = min(to, after.map { $0.microseconds + 1 } ?? .max)
        var starts = try connection.ask(.historyDays).values(Int64.self).map { $0 * HistorySearch.day }
        starts.append(0)
        for start in starts where start < end {
            let begin = max(start, from)
            if begin < end { found += try ask(connection, begin, end, limit - found.count) }
            end = start
            if found.count >= limit { return (found, found.last.map { ($0.finishedMicroseconds, $0.entry.id) }) }
            if start <= from { break }
            if .now > deadline { return (found, (start, .max)) }
        }
        return (found, nil)
    }

    private func ask(_ connection: Connection, _ from: Int64, _ to: Int64, _ limit: Int) throws -> [EndedJob] {
        var parameters = Parameters()
        parameters.add(from)
        parameters.add(min(to, 253_402_300_799_000_000))
        parameters.add(optional: after?.microseconds)
        parameters.add(optional: after?.id)
        parameters.add(optional: tube)
        if let isFinished { parameters.add(isFinished) } else { parameters.addNull() }
        parameters.add(optional: id)
        parameters.add(Int32(limit))
        parameters.add(withBody)
        return try connection.ask(.endedJobs, parameters).endedJobs
    }
}
