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
            let ids = try connection.heldCandidates(tubes, after: 0, limit: 5000)
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
