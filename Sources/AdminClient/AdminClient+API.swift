public import AdminAPI
public import Foundation

public import struct AdminAPI.Operation

/// A function for each route. All throw `ClientFailure`.
extension AdminClient {
    public func overview() async throws -> Overview { try await get(["overview"]) }

    public func tubes(
        filter: String? = nil, sort: String? = nil, limit: Int? = nil, offset: Int? = nil
    ) async throws -> TubePage {
        try await get(
            ["tubes"],
            [
                ("filter", filter), ("sort", sort), ("limit", limit.map(String.init)),
                ("offset", offset.map(String.init)),
            ])
    }

    public func tube(_ name: String) async throws -> TubeDetail { try await get(["tubes", name]) }

    public func jobs(_ filter: JobFilter, limit: Int? = nil, after: String? = nil) async throws -> JobPage {
        try await get(["jobs"], filter.query + [("limit", limit.map(String.init)), ("after", after)])
    }

    public func job(_ id: Int64) async throws -> JobDetail { try await get(["jobs", "\(id)"]) }

    public func body(_ id: Int64) async throws -> Data { try await bytes(["jobs", "\(id)", "body"]) }

    public func put(_ job: PutRequest) async throws -> PutAnswer { try await post(["jobs"], job) }

    public func count(_ filter: JobFilter) async throws -> JobCount { try await post(["jobs", "count"], filter) }

    /// `request`: With `ids`, up to 1000.
    public func act(_ action: JobAction, _ request: JobActionRequest) async throws -> ActionAnswer {
        try await post(["jobs", action.rawValue], request)
    }

    /// `verb`: `kick`, `clear`, `pause` or `unpause`.
    public func act(_ verb: String, onTube name: String, _ request: TubeActionRequest) async throws -> ActionAnswer {
        try await post(["tubes", name, verb], request)
    }

    public func start(_ operation: OperationRequest) async throws -> Operation {
        try await post(["operations"], operation)
    }

    public func operation(_ id: Int64) async throws -> Operation { try await get(["operations", "\(id)"]) }

    public func stop(operation id: Int64) async throws -> Operation {
        try await post(["operations", "\(id)", "stop"], [String: String]())
    }

    public func resume(operation id: Int64) async throws -> Operation {
        try await post(["operations", "\(id)", "resume"], [String: String]())
    }

    public func brokers() async throws -> [BrokerEntry] { try await get(["brokers"]) }

    public func clients() async throws -> ClientPage { try await get(["clients"]) }

    public func holders() async throws -> HolderPage { try await get(["holders"]) }

    public func warnings() async throws -> [WarningEntry] { try await get(["warnings"]) }

    public func history(
        tube: String? = nil, finishedAfter: Date? = nil, limit: Int? = nil, after: String? = nil
    ) async throws -> HistoryPage {
        let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try await get(
            ["history"],
            [
                ("tube", tube), ("finished_after", finishedAfter?.formatted(time)),
                ("limit", limit.map(String.init)), ("after", after),
            ])
    }
}

extension JobFilter {
    /// As the query of `GET /jobs`.
    public var query: AdminClient.Query {
        let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return [
            ("tube", tube), ("state", state), ("id_from", idFrom.map(String.init)), ("id_to", idTo.map(String.init)),
            ("priority_from", priorityFrom.map(String.init)), ("priority_to", priorityTo.map(String.init)),
            ("created_after", createdAfter?.formatted(time)), ("created_before", createdBefore?.formatted(time)),
            ("older_than", olderThan.map { "\($0)" }), ("body", body),
        ]
    }
}
