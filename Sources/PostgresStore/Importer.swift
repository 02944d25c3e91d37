public import Binlog
import Foundation
import LogKeys
public import Logging
import QueueCore

/// Takes over the jobs of a beanstalkd from its log: all in one transaction, and once.
///
/// Whoever calls holds the folder's lock. Blocks the thread.
public struct Importer {
    public enum Outcome: Sendable {
        case imported(jobs: Int, tubes: Int)
        /// The folder has no job and never had one.
        case empty
        /// It has been imported before.
        case known(schema: String, at: String, jobs: Int64)
        /// It has been imported before, and beanstalkd has written to it since. That was not imported: jobs that have
        /// been done here meanwhile would come back.
        case changedSince(at: String, jobs: Int64)
    }

    private let connection: Connection
    private let schema: String
    private let logger: Logger
    private var progress: Progress

    /// Connects, and brings the schema up or checks it. Throws a `StoreError`.
    public init(database: String, schema: String, migrates: Bool = true, logger: Logger) throws {
        let migrator = try Migrator(database: database, schema: schema)
        _ = migrates ? try migrator.up() : try migrator.check()
        connection = try Connection(database)
        self.schema = schema
        self.logger = logger
        progress = Progress(logger)
        var parameters = Parameters()
        parameters.add(schema)
        _ = try connection.ask(.configureImport, parameters)
        try connection.run(Statement.configureLimits)
        try connection.prepare(Statement.importer)
    }

    /// Imports the folder unless it was.
    /// - Parameters:
    ///   - folder: Its files are only read.
    ///   - salvages: Imports what can be read of a damaged log.
    ///   - onlyOnce: Also an import into another schema of the database counts.
    /// - Returns: What has been done, or why nothing had to be.
    /// - Throws: `ImportError`, `BinlogError` or `StoreError`; then nothing has been imported.
    public mutating func run(_ folder: BinlogFolder, salvages: Bool = false, onlyOnce: Bool = false) throws -> Outcome {
        let signatures = try folder.signatures()
        if let found = try find(folder, signatures, everywhere: onlyOnce) { return found }
        logger.info(
            "reading beanstalkd's log",
            metadata: [LogKey.folder: "\(folder.path)", LogKey.files: "\(folder.numbers.count)"])
        let contents = try BinlogContents(reading: folder, now: Importer.now) { bytes, jobs in
            progress.report("reading beanstalkd's log", ["bytes": "\(bytes)", LogKey.jobs: "\(jobs)"])
        }
        guard !contents.isDamaged || salvages else { throw ImportError.damaged(contents) }
        for remark in contents.remarks { logger.warning("\(remark)") }
        // Files without a single record: a beanstalkd that was started and stopped.
        guard contents.highestID > 0 else { return .empty }
        if let job = contents.jobs.first(where: { $0.bodySize > ImportBatch.largestBody }) {
            throw ImportError.tooLarge(id: job.id, bytes: job.bodySize)
        }
        let dead = try checkUnserved()
        try connection.run("begin")
        do {
            let outcome = try store(contents, signatures, dead)
            try connection.run("commit")
            return outcome
        } catch {
            try? connection.run("rollback")
            throw error
        }
    }

    /// Nanoseconds since 1970.
    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }

    // MARK: Before

    /// What the database knows of the folder; `nil` if it is new.
    private func find(
        _ folder: BinlogFolder, _ signatures: [Int: Int64], everywhere: Bool = false
    ) throws -> Outcome? {
        var parameters = Parameters()
        parameters.add(int8s: signatures.values)
        var here = parameters
        here.add(folder.path)
        let rows = try connection.execute(.findImport, here)
        if rows.count > 0 {
            let (at, jobs) = (rows.string(0, 1), rows.int64(0, 2))
            return rows.int64(0, 3) == signatures.count
                ? .known(schema: schema, at: at, jobs: jobs) : .changedSince(at: at, jobs: jobs)
        }
        guard everywhere else { return nil }
        let schemas = try connection.execute(.otherSchemas)
        for row in 0..<schemas.count {
            let other = schemas.string(row, 0)
            let statement = Statement.knownFiles(in: other)
            let known = try connection.ask(statement, parameters).int64(0, 0)
            if known > 0 { return .known(schema: other, at: "", jobs: 0) }
        }
        return nil
    }

    /// A broker whose process may run.
    private struct Registered {
        let epoch: Int64
        let beats: Int64
        let name: String
    }

    private func registeredBrokers() throws -> [Registered] {
        let rows = try connection.execute(.registeredBrokers)
        return (0..<rows.count).compactMap { row in
            let pid = rows.int32(row, 1)
            if rows.string(row, 2) == ProcessSpace.name, ProcessSpace.hasEnded(pid) { return nil }
            return Registered(
                epoch: rows.int64(row, 0), beats: rows.int64(row, 3), name: "\(rows.string(row, 4)) (pid \(pid))")
        }
    }

    /// A broker keeps ids in memory that the sequence gave it: nobody may have any that the folder's jobs have. Waits
    /// for heartbeats of those that are registered.
    /// - Returns: the last heartbeats of brokers that are dead.
    private func checkUnserved() throws -> [Int64: Int64] {
        let first = Dictionary(uniqueKeysWithValues: try registeredBrokers().map { ($0.epoch, $0.beats) })
        let end = ContinuousClock.now + .nanoseconds(Judge.silence.nanoseconds)
        while !first.isEmpty, ContinuousClock.now < end {
            Thread.sleep(forTimeInterval: 0.1)
            try checkUnserved(besides: first)
        }
        return first
    }

    private func checkUnserved(besides dead: [Int64: Int64]) throws {
        let living = try registeredBrokers().filter { dead[$0.epoch] != $0.beats }
        guard living.isEmpty else { throw ImportError.beingServed(by: living.map(\.name)) }
    }

    // MARK: The transaction

    /// `dead`: the last heartbeats of brokers that are registered and dead.
    private mutating func store(
        _ contents: BinlogContents, _ signatures: [Int: Int64], _ dead: [Int64: Int64]
    ) throws -> Outcome {
        try connection.run(Statement.lockOut)
        // Another import may have been first.
        if let found = try find(contents.folder, signatures) { return found }
        try checkUnserved(besides: dead)
        var highest = Parameters()
        highest.add(Int64(contents.highestID))
        _ = try connection.execute(.moveIDs, highest)
        let used = Set(contents.jobs.map(\.tube))
        let tubes = try tubeIDs(of: contents.tubes, used)
        try insert(contents, tubes)
        try addCounts(contents.jobs, tubes)
        var record = Parameters()
        record.add(contents.folder.path)
        record.add(Int64(contents.jobs.count))
        record.add(contents.remarks.joined(separator: "\n"))
        record.add(int8s: signatures.keys.map { Int64($0) })
        record.add(int8s: signatures.values)
        _ = try connection.execute(.recordImport, record)
        return .imported(jobs: contents.jobs.count, tubes: used.count)
    }

    /// The row of each tube that has a job, by its index in the folder.
    private func tubeIDs(of names: [String], _ used: Set<Int32>) throws -> [Int32: TubeID] {
        var parameters = Parameters()
        parameters.add(used.map { names[Int($0)] }.joined(separator: "\n"))
        let rows = try connection.execute(.importTubes, parameters)
        let ids = Dictionary(uniqueKeysWithValues: (0..<rows.count).map { (rows.string($0, 1), rows.int32($0, 0)) })
        return Dictionary(uniqueKeysWithValues: used.map { ($0, ids[names[Int($0)]]!) })
    }

    private mutating func insert(_ contents: BinlogContents, _ tubes: [Int32: TubeID]) throws {
        let lastBurial = contents.jobs.lazy.map(\.buryOrder).max() ?? 0
        var buryOffset: Int64 = 0
        if lastBurial > 0 {
            var places = Parameters()
            places.add(Int64(lastBurial))
            buryOffset = try connection.execute(.takeBurials, places).int64(0, 0) - Int64(lastBurial)
        }
        let checksIDs = try connection.execute(.hasJobs).bool(0, 0)
        let bodies = BodyReader(contents)
        var batch = ImportBatch()
        for (index, job) in contents.jobs.enumerated() {
            batch.add(job, tube: tubes[job.tube]!, buryOffset: buryOffset, body: try bodies.body(of: job))
            guard batch.isFull || index == contents.jobs.count - 1 else { continue }
            if checksIDs { try checkIDs(batch.ids) }
            _ = try connection.execute(.importJobs, batch.parameters)
            batch = ImportBatch()
            progress.report("importing jobs", [LogKey.jobs: "\(index + 1) of \(contents.jobs.count)"])
        }
    }

    private func checkIDs(_ ids: [Int64]) throws {
        var parameters = Parameters()
        parameters.add(int8s: ids)
        let taken = try connection.execute(.takenID, parameters)
        if taken.count > 0 { throw ImportError.idTaken(taken.int64(0, 0)) }
    }

    private func addCounts(_ jobs: [BinlogJob], _ tubes: [Int32: TubeID]) throws {
        var counts: [TubeID: StateCounts] = [:]
        for job in jobs {
            counts[tubes[job.tube]!, default: StateCounts()].add(1, job.state.stored, priority: job.priority)
        }
        var parameters = Parameters()
        parameters.add(int4s: counts.keys)
        for count in [\StateCounts.urgent, \.ready, \.delayed, \.buried] {
            parameters.add(int8s: counts.values.map { Int64($0[keyPath: count]) })
        }
        _ = try connection.execute(.importCounts, parameters)
    }
}

/// A line a second.
private struct Progress {
    private let logger: Logger
    private var next = ContinuousClock.now + .seconds(1)

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func report(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        guard ContinuousClock.now >= next else { return }
        next = .now + .seconds(1)
        logger.info(message, metadata: metadata)
    }
}
