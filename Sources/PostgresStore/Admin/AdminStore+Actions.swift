public import AdminAPI
import Foundation

extension AdminStore {
    /// Does something to jobs, all in one transaction with its audit.
    public func act(
        _ action: JobAction, on ids: [Int64], with arguments: JobActionRequest, audit record: AuditRecord
    ) async throws -> ActionAnswer {
        try await audited(record) { connection in
            let answer = try connection.act(action, on: ids, with: arguments)
            return (answer, Int64(answer.changed))
        }
    }

    /// Puts a job.
    public func put(_ request: PutRequest, body: [UInt8], audit record: AuditRecord) async throws -> PutAnswer {
        try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(request.tube)
            parameters.add(body)
            parameters.add(request.priority ?? 1024)
            parameters.add(request.delaySeconds ?? 0)
            parameters.add(request.ttrSeconds ?? 60)
            parameters.add(optional: request.key)
            let id = try connection.ask(.putJob, parameters).value(Int64.self)
            return (PutAnswer(id: id), 1)
        }
    }

    /// Pauses a tube, or ends its pause with 0 seconds.
    public func pause(_ tube: String, seconds: Int64, audit record: AuditRecord) async throws -> ActionAnswer {
        try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(tube)
            if seconds > 0 { parameters.add(seconds) }
            _ = try connection.ask(seconds > 0 ? .pauseTube : .unpauseTube, parameters)
            return (ActionAnswer(changed: 0), nil)
        }
    }

    /// Sets the whole policy of a tube.
    public func set(_ policy: Policy, of tube: String, audit record: AuditRecord) async throws -> Policy {
        try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(tube)
            parameters.add(optional: policy.buryAfterTimeouts.map(Int64.init))
            parameters.add(optional: policy.buryAfterReleases.map(Int64.init))
            parameters.add(optional: policy.maxReady.map(Int64.init))
            parameters.add(optional: policy.historySeconds.map { Int64($0 * 1e6) })
            parameters.add(policy.historyBody ?? false)
            _ = try connection.ask(.setPolicy, parameters)
            return (try connection.policies(tube: tube).first ?? Policy(tube: tube), nil)
        }
    }

    // MARK: Many jobs of a tube

    /// Jobs that the first transaction kicks or deletes, and any at most.
    private static let (firstBatch, largestBatch): (Int64, Int64) = (1000, 10_000)
    /// The seconds after which a request ends with what it has done.
    private static let requestTime = 15.0

    /// Kicks up to so many jobs: buried ones, or delayed ones if none is buried.
    public func kick(_ tube: String, upTo limit: Int64, audit record: AuditRecord) async throws -> ActionAnswer {
        var record: AuditRecord? = record
        var isFirst = true
        return try await inBatches(limit) { size in
            defer { (record, isFirst) = (nil, false) }
            let statement: Statement = isFirst ? .kickTube : .kickBuried
            return try await self.batch(record, statement, tube, size, nil)
        }
    }

    /// Deletes up to so many jobs that nobody has, of one state or all.
    public func clear(
        _ tube: String, upTo limit: Int64, state: String?, audit record: AuditRecord
    ) async throws -> ActionAnswer {
        var record: AuditRecord? = record
        return try await inBatches(limit) { size in
            defer { record = nil }
            return try await self.batch(record, .clearTube, tube, size, .some(state))
        }
    }

    private func batch(
        _ record: AuditRecord?, _ statement: Statement, _ tube: String, _ size: Int64, _ state: String??
    ) async throws -> Int64 {
        let body: @Sendable (Connection) throws -> (Int64, Int64?) = { connection in
            var parameters = Parameters()
            parameters.add(tube)
            parameters.add(Int32(size))
            if let state { parameters.add(optional: state) }
            let changed = Int64(try connection.ask(statement, parameters).value(Int32.self))
            return (changed, changed)
        }
        guard let record else { return try await write { try body($0).0 } }
        return try await audited(record, body)
    }

    /// Works in transactions of a tenth of a second, which others hardly notice, until there is no more to do or the time
    /// is over.
    private func inBatches(_ limit: Int64, _ work: (Int64) async throws -> Int64) async throws -> ActionAnswer {
        let end = ContinuousClock.now + .seconds(AdminStore.requestTime)
        var changed: Int64 = 0
        var batch = AdminStore.firstBatch
        while changed < limit {
            let start = ContinuousClock.now
            let size = min(batch, limit - changed)
            let done: Int64
            do {
                done = try await work(size)
            } catch let problem as Problem where changed > 0 && (problem.code == "57014" || problem.status == 409) {
                // What was done before stays done.
                return ActionAnswer(changed: Int(changed), isPartial: true)
            }
            let length = ContinuousClock.now - start
            changed += done
            if done < size { break }
            if .now > end { return ActionAnswer(changed: Int(changed), isPartial: true) }
            if length < .milliseconds(100) { batch = min(batch * 2, AdminStore.largestBatch) }
            if length > .milliseconds(250) { batch = max(batch / 2, 100) }
            try await Task.sleep(for: length / 4)
        }
        return ActionAnswer(changed: Int(changed))
    }

    // MARK: The audit

    /// Does something in one transaction with its audit. What is refused is noted too.
    func audited<Value: Sendable>(
        _ record: AuditRecord, _ body: @escaping @Sendable (Connection) throws -> (Value, changed: Int64?)
    ) async throws -> Value {
        do {
            return try await write { connection in
                let (value, changed) = try body(connection)
                try connection.audit(record, changed: changed)
                return value
            }
        } catch let problem as Problem {
            if problem.status < 500, problem.status != 403 {
                try? await write { try $0.audit(record, changed: nil, error: problem.title) }
            }
            guard problem.code == "57014" else { throw problem }
            throw Problem(
                status: 504, title: "The action took longer than 2 s, and nothing was done.",
                hint: "A broker may have died a moment ago: try again in some seconds. Else choose fewer jobs.",
                code: problem.code)
        }
    }
}

struct ActedColumns: RowColumns {
    let id: Column<Int64>
    let isThere: Column<Bool>
    let isDone: Column<Bool>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        isThere = column("is_there")
        isDone = column("is_done")
    }
}

extension Connection {
    /// Does something to jobs, in the transaction that is open. A job that cannot be changed is left as it is.
    func act(_ action: JobAction, on ids: [Int64], with arguments: JobActionRequest) throws -> ActionAnswer {
        do {
            try run(Statement.savepoint.sql)
            return try actAtOnce(action, ids, arguments)
        } catch let error as StoreError where error.concernsOneJob {
            try run(Statement.rollbackToSavepoint.sql)
        }
        // One of them has gone meanwhile, or cannot be moved: one by one, to find it.
        var answer = ActionAnswer(changed: 0, skipped: [])
        for id in Set(ids).sorted() {
            do {
                try run(Statement.savepoint.sql)
                let one = try actAtOnce(action, [id], arguments)
                answer.changed += one.changed
                answer.skipped? += one.skipped ?? []
            } catch let error as StoreError where error.concernsOneJob {
                let reason =
                    lastHint.map { "\(Problem(error, hint: nil).title) \($0)" } ?? Problem(error, hint: nil).title
                try run(Statement.rollbackToSavepoint.sql)
                answer.skipped?.append(SkippedJob(id: id, reason: reason))
            }
        }
        return answer
    }

    private func actAtOnce(_ action: JobAction, _ ids: [Int64], _ arguments: JobActionRequest) throws -> ActionAnswer {
        var parameters = Parameters()
        parameters.add(int8s: ids)
        switch action {
        case .kick, .delete: break
        case .bury: parameters.add(optional: arguments.priority)
        case .move: parameters.add(optional: arguments.tube)
        case .priority: parameters.add(optional: arguments.priority)
        case .delay: parameters.add(optional: arguments.delaySeconds)
        }
        let rows = try ask(.act(action), parameters)
        let column = rows.columns(ActedColumns.self)
        var answer = ActionAnswer(changed: 0, skipped: [])
        var left: [Int64] = []
        for row in rows.indices {
            if !rows[row, column.isThere] {
                answer.skipped?.append(SkippedJob(id: rows[row, column.id], reason: "There is no such job."))
            } else if rows.optional(row, column.isDone) == true {
                answer.changed += 1
            } else {
                left.append(rows[row, column.id])
            }
        }
        let states = Dictionary(
            try jobSummaries(left).map { ($0.job.id, $0.job.state) }, uniquingKeysWith: { first, _ in first })
        for id in left {
            let state = states[id] ?? "gone"
            answer.skipped?.append(
                SkippedJob(
                    id: id,
                    reason: state == "ready" && action == .kick
                        ? "It is ready already." : "It is \(state)."))
        }
        return answer
    }
}

extension StoreError {
    /// It says that one job is gone, or that its key is taken.
    fileprivate var concernsOneJob: Bool { ["BR006", "BR013"].contains(sqlState) }
}
