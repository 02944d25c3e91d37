import AdminAPI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import PostgresStore
import QueueCore

import struct AdminAPI.Operation

/// The routes that change something. Each checks the right, does it and notes it in the audit.
extension Site {
    /// What a request asks for, for the audit.
    private func record(
        _ call: Call, _ action: String, _ object: String, _ arguments: some Encodable
    ) throws -> AuditRecord {
        guard call.viewer.mayAct else { throw Problem.readOnly }
        let json = String(decoding: try AdminAPI.encoder().encode(arguments), as: UTF8.self)
        return AuditRecord(
            viewer: call.viewer.label, action: action, object: object, arguments: json == "{}" ? nil : json)
    }

    private func require(_ call: Call) throws {
        guard call.viewer.mayAct else { throw Problem.readOnly }
    }

    // MARK: Jobs

    /// `POST jobs`.
    func put(_ call: Call) async throws -> Response {
        try require(call)
        var request: PutRequest = try await call.body(limit: 2 * configuration.maxJobSize + (64 << 10))
        guard TubeName(request.tube) != nil else { throw Problem.noTubeName(request.tube) }
        let body: [UInt8]
        switch (request.body, request.bodyBase64) {
        case (let text?, nil): body = Array(text.utf8)
        case (nil, let base64?):
            guard let data = Data(base64Encoded: base64) else {
                throw Problem(status: 400, title: "body_base64 is not base64.")
            }
            body = Array(data)
        default: throw Problem(status: 400, title: "A job has either body or body_base64.")
        }
        guard body.count <= configuration.maxJobSize else {
            throw Problem(
                status: 413,
                title: "The body has \(body.count) bytes; the broker takes \(configuration.maxJobSize) (-z).")
        }
        try check(request.priority, delay: request.delaySeconds, ttr: request.ttrSeconds)
        if let key = request.key, TubeName(key) == nil {
            throw Problem(
                status: 400, title: "\(key.prefix(250)) is no key.", hint: "Keys are made as names of tubes are.")
        }
        let tube = request.tube
        let noted = request
        request.body = nil
        request.bodyBase64 = nil
        let record = try record(call, "put", "tube \(tube)", request)
        return try .json(await store.put(noted, body: body, audit: record), status: .created)
    }

    /// `POST jobs/count`.
    func count(_ call: Call) async throws -> Response {
        let filter: JobFilter = try await call.body()
        try filter.check()
        if let known = knownCount(filter) { return try .json(JobCount(count: known, isPartial: false)) }
        return try .json(await store.count(filter))
    }

    /// The count of a filter that names no more than a tube and a state: the broker knows it.
    private func knownCount(_ filter: JobFilter) -> Int64? {
        guard filter == JobFilter(tube: filter.tube, state: filter.state) else { return nil }
        let frame = live.frame()
        guard frame.queue.isEpochValid else { return nil }
        let prefix = filter.tube.flatMap { $0.hasSuffix("*") ? String($0.dropLast()) : nil }
        var count = 0
        for tube in frame.tubes {
            let name = tube.name.description
            if let prefix {
                guard name.hasPrefix(prefix) else { continue }
            } else if let only = filter.tube {
                guard name == only else { continue }
            }
            let jobs = Counts(tube.jobs)
            switch filter.state {
            case "ready": count += jobs.ready
            case "reserved": count += jobs.reserved
            case "delayed": count += jobs.delayed
            case "buried": count += jobs.buried
            default: count += jobs.ready + jobs.reserved + jobs.delayed + jobs.buried
            }
        }
        return Int64(count)
    }

    /// `POST jobs/ACTION`, and with an id `POST jobs/ID/ACTION`.
    func act(_ call: Call, _ action: JobAction, id: Int64?) async throws -> Response {
        try require(call)
        var request: JobActionRequest = try await call.body(orNone: JobActionRequest())
        if let id {
            guard request.ids == nil else { throw Problem(status: 400, title: "The id is in the path, not in ids.") }
            request.ids = [id]
        }
        guard let ids = request.ids, (1...1000).contains(ids.count) else {
            throw Problem(
                status: 400, title: "ids has to have 1 to 1000 ids.", hint: "POST operations takes a filter, for more.")
        }
        guard ids.allSatisfy({ $0 > 0 }) else { throw Problem(status: 400, title: "An id is 1 or more.") }
        try check(action, tube: request.tube, priority: request.priority, delay: request.delaySeconds)
        let record = try record(call, action.rawValue, id.map { "job \($0)" } ?? "\(ids.count) jobs", request)
        let answer = try await store.act(action, on: ids, with: request, audit: record)
        if let id, answer.changed == 0, answer.skipped?.first?.reason == "There is no such job." {
            throw Problem.notFound("job \(id)")
        }
        return try .json(answer)
    }

    private func check(_ action: JobAction, tube: String?, priority: Int64?, delay: Int64?) throws {
        if let tube, TubeName(tube) == nil { throw Problem.noTubeName(tube) }
        switch action {
        case .move where tube == nil: throw Problem(status: 400, title: "A move needs a tube.")
        case .priority where priority == nil: throw Problem(status: 400, title: "The priority is missing.")
        case .delay where delay == nil: throw Problem(status: 400, title: "delay_seconds is missing.")
        default: break
        }
        try check(priority, delay: delay, ttr: nil)
    }

    private func check(_ priority: Int64?, delay: Int64?, ttr: Int64?) throws {
        let most = Int64(UInt32.max)
        guard (0...most).contains(priority ?? 0) else {
            throw Problem(status: 400, title: "A priority is 0 to \(most).")
        }
        guard (0...most).contains(delay ?? 0) else {
            throw Problem(status: 400, title: "A delay is 0 to \(most) seconds.")
        }
        guard (0...most).contains(ttr ?? 1) else {
            throw Problem(status: 400, title: "A time to run is 1 to \(most) seconds.")
        }
    }

    // MARK: Tubes

    /// `POST tubes/NAME/ACTION`.
    func act(_ call: Call, _ action: String, tube: TubeName) async throws -> Response {
        try require(call)
        let request: TubeActionRequest = try await call.body(orNone: TubeActionRequest())
        let name = tube.description
        let limit = request.upTo ?? Int64.max
        guard limit >= 0 else { throw Problem(status: 400, title: "up_to is 0 or more.") }
        if let state = request.state, !["ready", "delayed", "buried"].contains(state) {
            throw Problem(status: 400, title: "\(state.prefix(100)) is no state of jobs that can be deleted.")
        }
        let record = try record(call, action, "tube \(name)", request)
        do {
            switch action {
            case "kick": return try .json(await store.kick(name, upTo: limit, audit: record))
            case "clear": return try .json(await store.clear(name, upTo: limit, state: request.state, audit: record))
            case "unpause": return try .json(await store.pause(name, seconds: 0, audit: record))
            case "pause":
                guard let seconds = request.seconds, (1...Int64(UInt32.max)).contains(seconds) else {
                    throw Problem(status: 400, title: "A pause needs seconds, 1 to \(UInt32.max).")
                }
                try await checkIsUsed(tube)
                return try .json(await store.pause(name, seconds: seconds, audit: record))
            default: throw Problem.noSuchPath
            }
        } catch let problem as Problem where problem.code == "BR001" {
            guard broker.snapshot(of: tube) != nil || live.remembers(tube) else {
                throw Problem.notFound("tube \(tube)")
            }
            // It exists here and has no row: it never had a job.
            guard action == "kick" || action == "clear" else {
                throw Problem(
                    status: 409, title: "The tube \(tube) has had no jobs yet, so it cannot be paused.",
                    hint: "Put a job into it first.", code: problem.code)
            }
            return try .json(ActionAnswer(changed: 0))
        }
    }

    /// A sole broker ends the pause of a tube that it removes. One that nothing but a policy keeps is removed at once.
    private func checkIsUsed(_ tube: TubeName) async throws {
        guard broker.snapshot(of: tube) == nil, live.frame().queue.peers == 0,
            try await store.policy(ofTube: tube.description) != nil
        else { return }
        throw Problem(
            status: 409, title: "The tube \(tube) has a policy and is not in use, so a pause would end at once.",
            hint: "Put a job into it first, or let a client watch it.")
    }

    /// `PUT tubes/NAME/policy`.
    func setPolicy(_ call: Call, _ tube: TubeName) async throws -> Response {
        try require(call)
        let policy: Policy = try await call.body()
        guard policy.tube ?? tube.description == tube.description else {
            throw Problem(status: 400, title: "The policy is of another tube than the path.")
        }
        let counts = [policy.buryAfterTimeouts, policy.buryAfterReleases].compactMap { $0 }
        guard counts.allSatisfy({ (1...Int(Int32.max)).contains($0) }), (policy.maxReady ?? 1) >= 1 else {
            throw Problem(status: 400, title: "The numbers of a policy are 1 or more.")
        }
        if let seconds = policy.historySeconds, !(1e-6...3_155_760_000).contains(seconds) {
            throw Problem(status: 400, title: "History is kept for more than 0 s, and for 100 years at most.")
        }
        let record = try record(call, "set policy", "tube \(tube)", policy)
        return try .json(await store.set(policy, of: tube.description, audit: record))
    }

    // MARK: Operations

    /// `operations` and what is below it.
    func operations(_ call: Call, _ path: [String]) async throws -> Response {
        guard let first = path.first else {
            try call.allow(.get, .post)
            try call.query.allow()
            guard call.request.method == .post else { return try .json(await store.operations()) }
            return try await begin(call)
        }
        guard let id = Int64(first), id > 0 else { throw Problem.noSuchPath }
        switch path.dropFirst() {
        case []:
            try call.allow(.get)
            return try .json(await store.operation(id))
        case ["stop"]:
            try call.allow(.post)
            let record = try record(call, "stop", "operation \(id)", [String: String]())
            return try .json(await store.stop(operation: id, audit: record))
        case ["resume"]:
            try call.allow(.post)
            let record = try record(call, "resume", "operation \(id)", [String: String]())
            let epoch = try epoch()
            let operation = try await store.resume(operation: id, epoch: epoch, audit: record)
            try run(operation, epoch)
            return try .json(operation)
        default: throw Problem.noSuchPath
        }
    }

    private func begin(_ call: Call) async throws -> Response {
        try require(call)
        let request: OperationRequest = try await call.body()
        try request.filter.check()
        try check(
            request.action, tube: request.tube, priority: request.priority, delay: request.delaySeconds)
        guard request.expectedCount >= 0 else { throw Problem(status: 400, title: "expected_count is 0 or more.") }
        let record = try record(call, request.action.rawValue, "a filter", request)
        let epoch = try epoch()
        let operation = try await store.add(request, epoch: epoch, viewer: call.viewer.label, audit: record)
        try run(operation, epoch)
        return try .json(operation, status: .accepted)
    }

    private func run(_ operation: Operation, _ epoch: Int64) throws {
        let store = try store
        let broker = broker
        running.add {
            await store.run(operation, runner: epoch) { broker.epoch }
        }
    }

    private func epoch() throws -> Int64 {
        let epoch = broker.epoch
        guard epoch != 0 else { throw Problem(status: 503, title: "The broker is not registered in the database.") }
        return epoch
    }
}

extension Problem {
    static let readOnly = Problem(
        status: 403, title: "This viewer may look and not act.",
        hint: "Actions are on for a loopback address, and elsewhere with --http-allow-actions.")
}
