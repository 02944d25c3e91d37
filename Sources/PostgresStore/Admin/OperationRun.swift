public import AdminAPI
import Foundation

public import struct AdminAPI.Operation

extension AdminStore {
    /// Runs an operation to its end, or until somebody stops it or takes it over.
    public func run(_ operation: Operation, runner: Int64, epoch: @escaping @Sendable () -> Int64) async {
        var run = OperationRun(self, operation, runner: runner, epoch: epoch)
        await run.run()
    }
}

/// An operation under way. Each batch is a transaction together with the progress in the row, so that what is written is
/// what was done; it holds its locks for about a tenth of a second, and a pause follows, so that others hardly notice.
struct OperationRun {
    /// Ids that one search finds at most.
    private static let searchLimit = 20_000
    /// Jobs that a batch has at most.
    private static let batchLimit = 5000
    /// Jobs in use that are kept to be tried again; while there are more, no new ones are looked at.
    private static let inUseLimit = 500
    /// How often in a row a batch may fail, or find only jobs that are in use, half a second apart.
    private static let tryLimit = 20

    private let store: AdminStore
    private let operation: Operation
    private let filter: JobFilter
    private let epoch: @Sendable () -> Int64
    private var runner: Int64
    /// The id up to which jobs have been looked at.
    private var reached: Int64
    /// How many more jobs may be changed.
    private var left: Int64
    /// Jobs up to `reached` that are tried again; `nil` until they are read.
    private var inUse: [Int64]?
    /// What the last search has found behind `reached`, and how far it came: `nil` to the end.
    private var found: ArraySlice<Int64> = []
    private var foundTo: Int64?
    private var hasFoundAll = false
    private var size = 500
    private var tries = 0

    init(_ store: AdminStore, _ operation: Operation, runner: Int64, epoch: @escaping @Sendable () -> Int64) {
        self.store = store
        self.operation = operation
        self.runner = runner
        self.epoch = epoch
        var filter = operation.request.filter
        // What is put later was not confirmed.
        filter.createdBefore = min(filter.createdBefore ?? operation.startedAt, operation.startedAt)
        self.filter = filter
        reached = operation.reachedId ?? 0
        left = operation.request.expectedCount - operation.changed
    }

    mutating func run() async {
        while !Task.isCancelled {
            do {
                let start = ContinuousClock.now
                let before = left
                guard try await goOn() else { return }
                tries = left < before || inUse?.isEmpty != false ? 0 : tries + 1
                let work = ContinuousClock.now - start
                // What a broker had is free with the next batch; what a transaction has locked, when that ends.
                try await Task.sleep(for: tries > 1 ? .milliseconds(500) : max(.milliseconds(5), work / 4))
            } catch let problem as Problem where problem == .stopped {
                return
            } catch let problem as Problem where problem.status == 503 {
                try? await Task.sleep(for: .seconds(1))
            } catch let problem as Problem where problem.isPassing && tries < OperationRun.tryLimit {
                tries += 1
                size = max(1, size / 4)
                try? await Task.sleep(for: .milliseconds(500))
            } catch is CancellationError {
                return
            } catch {
                await fail((error as? Problem)?.title ?? "\(error)")
                return
            }
        }
    }

    /// Does the next batch; false when all is done.
    private mutating func goOn() async throws -> Bool {
        let (id, filter) = (operation.id, filter)
        let retried: [Int64]
        if let inUse {
            retried = inUse
        } else {
            retried = try await store.read { try $0.inUse(ofOperation: id) }
            inUse = retried
        }
        // Jobs in use may be changed yet: they count as if they were.
        let room = max(0, Int(clamping: left) - retried.count)
        if found.isEmpty, !hasFoundAll, retried.count < OperationRun.inUseLimit {
            let (after, limit) = (reached, min(OperationRun.searchLimit, room))
            let search =
                limit > 0
                ? try await store.read { try JobSearch($0, filter).ids(after: after, limit: limit) } : JobSearch.Found()
            found = search.ids[...]
            foundTo = search.searchedTo
            // Without room nothing was looked for.
            hasFoundAll = search.searchedTo == nil && (limit > 0 || retried.isEmpty)
        }
        let new = retried.count < OperationRun.inUseLimit ? found.prefix(min(size, room)) : []
        let rest = found.dropFirst(new.count)
        let batch = Batch(
            operation: operation, filter: filter, ids: retried + new,
            reached: (rest.isEmpty ? foundTo ?? new.last : new.last) ?? reached, recalls: !retried.isEmpty,
            isLast: rest.isEmpty && hasFoundAll, givesUp: tries >= OperationRun.tryLimit, left: left, runner: runner,
            nextRunner: epoch())
        let result = try await store.write { try $0.run(batch) }
        if batch.nextRunner != 0 { runner = batch.nextRunner }
        reached = batch.reached
        found = rest
        left -= result.changed
        inUse = result.inUse
        // Few jobs for a long time: fewer next time. The search for them is not meant.
        if result.seconds < 0.06 { size = min(OperationRun.batchLimit, size * 2) }
        if result.seconds > 0.15 { size = max(1, size / 2) }
        return !result.isDone
    }

    private func fail(_ text: String) async {
        let (id, owner) = (operation.id, runner)
        try? await store.write { connection in
            var parameters = Parameters()
            parameters.add(id)
            parameters.add(owner)
            parameters.add(text)
            _ = try connection.ask(.failOperation, parameters)
        }
    }
}

/// Jobs that are changed in one transaction.
private struct Batch: Sendable {
    let operation: Operation
    let filter: JobFilter
    let ids: [Int64]
    /// The id up to which jobs have been looked at after this batch.
    let reached: Int64
    /// Brokers give back what no client of theirs holds: they had leased some of these jobs, or may have.
    let recalls: Bool
    /// No other jobs are left to be looked at.
    let isLast: Bool
    /// Jobs that are in use are left as they are.
    let givesUp: Bool
    /// How many jobs may be changed.
    let left: Int64
    let runner: Int64
    /// The epoch of this broker, 0 if it has none.
    let nextRunner: Int64

    struct Result: Sendable {
        var changed: Int64
        var inUse: [Int64]
        var isDone: Bool
        /// How long the jobs were locked before the commit.
        var seconds: Double
    }
}

extension Connection {
    fileprivate func inUse(ofOperation id: Int64) throws -> [Int64] {
        var parameters = Parameters()
        parameters.add(id)
        return try ask(.inUse, parameters).values(Int64.self)
    }

    /// Changes the jobs of a batch that still match and that nobody has, in the transaction that is open.
    fileprivate func run(_ batch: Batch) throws -> Batch.Result {
        let search = JobSearch(self, batch.filter)
        var changed: Int64 = 0
        var inUse: [Int64] = []
        var seconds = 0.0
        if !batch.ids.isEmpty {
            var recalls = Parameters()
            recalls.add(batch.recalls)
            _ = try ask(.openBatch, recalls)
            let start = ContinuousClock.now
            let locked = try search.lock(batch.ids)
            changed = try change(batch.operation.request, locked)
            if locked.count < batch.ids.count, !batch.givesUp {
                let locked = Set(locked)
                inUse = try search.inUse(batch.ids.filter { !locked.contains($0) })
            }
            seconds = (ContinuousClock.now - start) / .seconds(1)
        }
        let isDone = batch.isLast && inUse.isEmpty || changed >= batch.left
        var parameters = Parameters()
        parameters.add(batch.operation.id)
        parameters.add(batch.runner)
        parameters.add(batch.nextRunner == 0 ? batch.runner : batch.nextRunner)
        parameters.add(changed)
        parameters.add(Int64(batch.ids.count - inUse.count) - changed)
        parameters.add(batch.reached)
        parameters.add(isDone)
        parameters.add(int8s: inUse)
        // Stopped, or taken over: this batch is undone.
        guard try !ask(.noteBatch, parameters).operations.isEmpty else { throw Problem.stopped }
        return Batch.Result(changed: changed, inUse: inUse, isDone: isDone, seconds: seconds)
    }

    private func change(_ request: OperationRequest, _ ids: [Int64]) throws -> Int64 {
        guard !ids.isEmpty else { return 0 }
        var parameters = Parameters()
        parameters.add(int8s: ids)
        switch request.action {
        case .kick, .delete: break
        case .bury, .priority: parameters.add(optional: request.priority)
        case .move: parameters.add(optional: request.tube)
        case .delay: parameters.add(optional: request.delaySeconds)
        }
        return Int64(try ask(.change(request.action), parameters).value(Int32.self))
    }
}

extension Problem {
    /// Somebody has stopped the operation.
    fileprivate static let stopped = Problem(status: 409, title: "The operation was stopped.", code: "stopped")

    /// It may work in a moment, or with fewer jobs at a time.
    fileprivate var isPassing: Bool { code == "57014" || status == 409 }
}
