import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOFoundationCompat
import PostgresStore
import QueueCore

/// The routes of `/api/v1`.
extension Site {
    func api(_ call: Call) async throws -> Response {
        let path = Array(call.path.dropFirst(2))
        let rest = Array(path.dropFirst())
        switch path[0] {
        case "overview" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            return try .json(overview(call.viewer))
        case "tubes": return try await tubes(call, rest)
        case "jobs": return try await jobs(call, rest)
        case "operations": return try await operations(call, rest)
        case "events" where rest.isEmpty:
            try call.allow(.get)
            return try await events(call)
        case "brokers" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            return try .json(await brokers())
        case "holders" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            var page = try await store.holders()
            page.jobs = await withAddresses(page.jobs)
            return try .json(page)
        case "clients" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            let (clients, total) = await broker.clients(limit: 1000)
            return try .json(ClientPage(at: Date(), clients: clients, total: total))
        case "warnings" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            return try .json(await store.warnings())
        case "policies" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            return try .json(await store.policies())
        case "history" where rest.isEmpty:
            try call.allow(.get)
            return try .json(await history(call.query))
        case "series" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow("tube", "window")
            let window = try call.query.choice("window", SampleWindow.allCases.map(\.rawValue)) ?? "10m"
            return try .json(
                await store.series(
                    of: call.query.tubeName().map { TubeName(unchecked: $0) },
                    SampleWindow(rawValue: window) ?? .tenMinutes))
        case "sparklines" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow("tube")
            let names = call.query.all("tube")
            guard names.count <= 200 else { throw Problem(status: 400, title: "At most 200 tubes at a time.") }
            let tubes = try names.map { name in
                guard let tube = TubeName(name) else { throw Problem.noTubeName(name) }
                return tube
            }
            return try .json(await store.sparklines(of: tubes))
        case "reports" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow("tube", "hours")
            return try .json(
                await store.report(
                    of: call.query.tubeName().map { TubeName(unchecked: $0) },
                    hours: call.query.count("hours", default: 24, limit: 2160)))
        case "audit" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow("limit", "before")
            return try .json(
                await store.audit(
                    before: call.query.integer("before"), limit: call.query.count("limit", default: 100, limit: 1000)))
        case "openapi.json" where rest.isEmpty:
            try call.allow(.get)
            try call.query.allow()
            return .json(bytes: description(below: call.base))
        default: throw Problem.noSuchPath
        }
    }

    /// The description of the API, as it is seen below a base path.
    private func description(below base: String) -> ByteBuffer {
        let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
        return ByteBuffer(string: text.replacing("\"/api/v1\"", with: "\"\(base)api/v1\"", maxReplacements: 1))
    }

    // MARK: The queue

    func overview(_ viewer: Viewer) throws -> Overview {
        Overview(live.frame(), self, viewer, warnings: warningCount())
    }

    func warningCount() -> Int {
        guard let store = try? store else { return 0 }
        return warnings.count { try await store.warningCount() }
    }

    /// Jobs with the addresses of the clients of this broker that have them.
    private func withAddresses(_ jobs: [JobSummary]) async -> [JobSummary] {
        let own = broker.epoch
        let held = jobs.filter { $0.holder?.broker == own }.map { JobID(clamping: $0.id) }
        guard !held.isEmpty else { return jobs }
        let addresses = await broker.addresses(ofHoldersOf: held)
        return jobs.map { job in
            guard let address = addresses[JobID(clamping: job.id)] else { return job }
            var job = job
            job.holder?.client = address
            return job
        }
    }

    private func brokers() async throws -> [BrokerEntry] {
        let own = broker.epoch
        return try await store.brokers().map { broker in
            var broker = broker
            broker.isThis = broker.epoch == own
            return broker
        }
    }

    // MARK: Tubes

    private func tubes(_ call: Call, _ path: [String]) async throws -> Response {
        guard let name = path.first else {
            try call.allow(.get)
            try call.query.allow(TubeTable.parameters)
            let table = try TubeTable(call.query)
            let bytes = live.answer("tubes?" + call.query.text) { table.page($0).json }
            return .json(bytes: bytes)
        }
        guard let tube = TubeName(name) else { throw Problem.noTubeName(name) }
        guard path.count > 1 else {
            try call.allow(.get)
            try call.query.allow()
            return try .json(await detail(of: tube))
        }
        guard path.count == 2 else { throw Problem.noSuchPath }
        switch path[1] {
        case "policy":
            try call.allow(.put, .post)
            try call.query.allow()
            return try await setPolicy(call, tube)
        case "kick", "clear", "pause", "unpause":
            try call.allow(.post)
            try call.query.allow()
            return try await act(call, path[1], tube: tube)
        default: throw Problem.noSuchPath
        }
    }

    private func detail(of name: TubeName) async throws -> TubeDetail {
        let frame = live.frame()
        let place = frame.tubes.firstIndex { $0.name == name }
        let rate = place.map { frame.rates[$0] } ?? Frame.Rate()
        let policy = try await store.policy(ofTube: name.description)
        let (waited, worked) = try await store.percentiles(ofTube: name)
        // A tube with a policy stays, also while the broker has no use for it.
        guard
            let tube = broker.snapshot(of: name).map({ TubeLine($0) }) ?? place.map({ frame.tubes[$0] })
                ?? policy.map({ _ in TubeLine(name: name) })
        else { throw Problem.notFound("tube \(name)") }
        return TubeDetail(
            at: Date(), tube: TubeSummary(tube, rate, oldest: frame.oldest?.seconds(of: name)), policy: policy,
            waited: waited, worked: worked, lateAfterSeconds: Urgency.limit(tube))
    }

    // MARK: Jobs

    private func jobs(_ call: Call, _ path: [String]) async throws -> Response {
        guard let first = path.first else {
            try call.allow(.get, .post)
            if call.request.method == .post {
                try call.query.allow()
                return try await put(call)
            }
            try call.query.allow(JobFilter.parameters + ["limit", "after"])
            var page = try await store.jobs(
                JobFilter(call.query), after: call.query.integer("after") ?? 0,
                limit: call.query.count("limit", default: 100, limit: 1000))
            page.jobs = await withAddresses(page.jobs)
            return try .json(page)
        }
        if path.count == 1, first == "count" {
            try call.allow(.post)
            try call.query.allow()
            return try await count(call)
        }
        if path.count == 1, let action = JobAction(rawValue: first) {
            try call.allow(.post)
            try call.query.allow()
            return try await act(call, action, id: nil)
        }
        guard let id = Int64(first), id > 0, !first.hasPrefix("+") else { throw Problem.noSuchPath }
        switch path.dropFirst() {
        case []:
            try call.allow(.get)
            try call.query.allow()
            var detail = try await store.job(id)
            detail.job = await withAddresses([detail.job])[0]
            return try .json(detail)
        case ["body"]:
            try call.allow(.get)
            try call.query.allow()
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/octet-stream",
                    .contentDisposition: "attachment; filename=\"job-\(id)\"",
                ], body: .init(byteBuffer: ByteBuffer(bytes: try await store.body(ofJob: id))))
        default:
            guard path.count == 2, let action = JobAction(rawValue: path[1]) else { throw Problem.noSuchPath }
            try call.allow(.post)
            try call.query.allow()
            return try await act(call, action, id: id)
        }
    }

    // MARK: History

    private func history(_ query: Query) async throws -> HistoryPage {
        try query.allow("tube", "outcome", "id", "finished_after", "finished_before", "limit", "after")
        var after: (microseconds: Int64, id: Int64)?
        if let text = try query.value("after") {
            let parts = text.split(separator: "-").map { Int64($0) }
            guard parts.count == 2, let time = parts[0], let id = parts[1] else {
                throw Problem(status: 400, title: "The parameter after is not the `next` of a page.")
            }
            after = (time, id)
        }
        return try await store.history(
            tube: query.tubeName(), outcome: query.choice("outcome", ["finished", "deleted"]), id: query.integer("id"),
            finishedAfter: query.date("finished_after"), finishedBefore: query.date("finished_before"),
            limit: query.count("limit", default: 100, limit: 1000), after: after)
    }
}

extension Problem {
    static func noTubeName(_ name: String) -> Problem {
        Problem(
            status: 400, title: "\(name.prefix(250)) is no name of a tube.",
            hint: "A name has 1 to 200 of A-Z a-z 0-9 - + / ; . $ _ ( ), the first no hyphen.")
    }

    static func notFound(_ what: String) -> Problem { Problem(status: 404, title: "There is no \(what).") }
}

extension Query {
    /// The parameter `tube`, if it is there.
    func tubeName() throws -> String? {
        guard let name = try value("tube") else { return nil }
        guard TubeName(name) != nil else { throw Problem.noTubeName(name) }
        return name
    }
}
