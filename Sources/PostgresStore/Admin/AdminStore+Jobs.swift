public import AdminAPI
import Foundation

extension AdminStore {
    /// Jobs that match a filter, in the order of their ids, `limit` at most.
    public func jobs(_ filter: JobFilter, after: Int64, limit: Int) async throws -> JobPage {
        try await read { connection in
            let found = try JobSearch(connection, filter).ids(after: after, limit: limit)
            let jobs = try connection.jobSummaries(found.ids).map(\.job)
            return JobPage(jobs: jobs, next: found.searchedTo.map(String.init), searchedTo: found.searchedTo)
        }
    }

    /// How many jobs match a filter.
    public func count(_ filter: JobFilter) async throws -> JobCount {
        try await read { connection in try JobSearch(connection, filter).count() }
    }

    /// The body of a job, all of it. A job that has ended has one if its tube keeps it.
    public func body(ofJob id: Int64) async throws -> [UInt8] {
        try await read { connection in
            if let body = try connection.body(ofJob: id, limit: .max) { return body.bytes }
            if let body = try connection.endedJob(id)?.body { return body }
            throw Problem.notFound("job \(id), or its body is not kept")
        }
    }

    /// A job with its body, up to 256 KiB, and its history.
    public func job(_ id: Int64) async throws -> JobDetail {
        try await read { connection in
            if let found = try connection.jobSummaries([id]).first {
                let body = try connection.body(ofJob: id, limit: AdminStore.bodyLimit)
                let actions = try connection.auditEvents(ofJob: id)
                return JobDetail(
                    job: found.job, body: body.map { JobBody($0.bytes, of: $0.total) },
                    timeline: JobTimeline.of(
                        found.job, firstReservedAt: found.firstReservedAt, lastReservedAt: found.lastReservedAt,
                        actions: actions),
                    ended: nil)
            }
            guard let ended = try connection.endedJob(id) else { throw Problem.notFound("job \(id)") }
            let actions = try connection.auditEvents(ofJob: id)
            return JobDetail(
                job: JobSummary(ended), body: ended.body.map { JobBody($0.prefix(AdminStore.bodyLimit), of: $0.count) },
                timeline: JobTimeline.of(ended.entry, actions: actions), ended: ended.entry)
        }
    }

    /// The bytes of a body that a `JobDetail` has at most.
    static let bodyLimit = 256 << 10
}

extension Connection {
    /// The jobs of these ids that exist.
    func jobSummaries(
        _ ids: [Int64]
    ) throws -> [(job: JobSummary, firstReservedAt: Date?, lastReservedAt: Date?)] {
        guard !ids.isEmpty else { return [] }
        var parameters = Parameters()
        parameters.add(int8s: ids)
        return try ask(.jobSummaries, parameters).jobSummaries
    }

    /// The beginning of a body; `nil` if there is no such job.
    func body(ofJob id: Int64, limit: Int) throws -> (bytes: [UInt8], total: Int)? {
        var parameters = Parameters()
        parameters.add(id)
        parameters.add(Int32(clamping: limit))
        let rows = try ask(.jobBody, parameters)
        guard rows.count > 0 else { return nil }
        let column = rows.columns(BodyColumns.self)
        return (rows[0, column.body], Int(rows[0, column.bytes]))
    }
}

extension JobBody {
    /// A part of a body of `total` bytes.
    init(_ bytes: some Collection<UInt8>, of total: Int) {
        var part = Array(bytes)
        if part.count < total {
            for _ in 0..<3 where String(validating: part, as: UTF8.self) == nil && part.count > 4 { part.removeLast() }
            if String(validating: part, as: UTF8.self) == nil { part = Array(bytes) }
        }
        if let text = String(validating: part, as: UTF8.self) {
            self.init(encoding: "utf-8", data: text, bytes: total, isTruncated: part.count < total)
        } else {
            self.init(
                encoding: "base64", data: Data(part).base64EncodedString(), bytes: total,
                isTruncated: part.count < total)
        }
    }
}
