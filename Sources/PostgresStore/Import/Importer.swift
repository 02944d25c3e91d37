public import Binlog
import Foundation
import LogKeys
public import Logging
import QueueCore

/// Imports the jobs of a beanstalkd from its log, all in one transaction, and only once.
///
/// The caller holds the folder's lock. Blocks the thread.
public struct Importer {
    public enum Outcome: Sendable {
        case imported(jobs: Int, tubes: Int)
        /// The folder has never had a job.
        case empty
        /// It has been imported before.
        case known(schema: String, at: String, jobs: Int64)
        /// It has been imported before, and beanstalkd has written to it since. The rest is not imported: jobs that have
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

    /// Imports the folder unless it was imported before.
    /// - Parameters:
    ///   - folder: Its files are only read.
    ///   - salvages: Imports what can be read of a damaged log.
    ///   - onlyOnce: An import into another schema of the database counts too.
    /// - Returns: What was imported, or why nothing was.
    /// - Throws: `ImportError`, `BinlogError` or `StoreError`. Then nothing has been imported.
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
        // No record at all: this beanstalkd was only started and stopped.
        guard contents.highestID > 0 else { return .empty }
        if let job = contents.jobs.first(where: { $0.bodySize > ImportBatch.largestBody }) {
            throw ImportError.tooLarge(id: job.id, bytes: job.bodySize)
        }
        let dead = try checkUnserved()
        return try connection.inTransaction { try store(contents, signatures, dead) }
    }

    /// Nanoseconds since 1970.
    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }

    // MARK: Before the transaction

    /// An earlier import of the folder; `nil` if there is none.
    private func find(
        _ folder: BinlogFolder, _ signatures: [Int: Int64], everywhere: Bool = false
    ) throws -> Outcome? {
        var parameters = Parameters()
        parameters.add(int8s: signatures.values)
        var here = parameters
        here.add(folder.path)
        let rows = try connection.execute(.findImport, here)
        if rows.count > 0 {
            let column = rows.columns(FoundImportColumns.self)
            let (at, jobs) = (rows[0, column.importedAt], rows[0, column.jobs])
            return rows[0, column.knownFiles] == signatures.count
                ? .known(schema: schema, at: at, jobs: jobs) : .changedSince(at: at, jobs: jobs)
        }
        guard everywhere else { return nil }
        for other in try connection.execute(.otherSchemas).values(String.self) {
            let known = try connection.ask(.knownFiles(in: other), parameters).value(Int64.self)
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
        let column = rows.columns(RegisteredBrokerColumns.self)
        return rows.indices.compactMap { row in
            let pid = rows[row, column.pid]
            if ProcessSpace.hasEnded(pid, in: rows[row, column.processSpace]) { return nil }
            return Registered(
                epoch: rows[row, column.epoch], beats: rows[row, column.beats],
                name: "\(rows[row, column.host]) (pid \(pid))")
        }
    }

    /// Checks that no broker lives: it may have ids in memory that the folder's jobs have. Waits for heartbeats of the
    /// registered brokers.
    /// - Returns: The last heartbeats of the brokers that are dead.
    private func checkUnserved() throws -> [Int64: Int64] {
        let first = Dictionary(uniqueKeysWithValues: try registeredBrokers().map { ($0.epoch, $0.beats) })
        let end = ContinuousClock.now + .nanoseconds(StoreTiming.deathAfter.nanoseconds)
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

    /// `dead`: the last heartbeats of the brokers that are registered and dead.
    private mutating func store(
        _ contents: BinlogContents, _ signatures: [Int: Int64], _ dead: [Int64: Int64]
    ) throws -> Outcome {
        try connection.run(Statement.lockOut)
        // Another import may have come first.
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

    /// The id of each tube that has a job, by the tube's index in the folder.
    private func tubeIDs(of names: [String], _ used: Set<Int32>) throws -> [Int32: TubeID] {
        var parameters = Parameters()
        parameters.add(used.map { names[Int($0)] }.joined(separator: "\n"))
        let rows = try connection.execute(.importTubes, parameters)
        let column = rows.columns(ExistingTubeColumns.self)
        let ids = Dictionary(
            uniqueKeysWithValues: rows.indices.map { (rows[$0, column.name], rows[$0, column.tube]) })
        return Dictionary(uniqueKeysWithValues: used.map { ($0, ids[names[Int($0)]]!) })
    }

    private mutating func insert(_ contents: BinlogContents, _ tubes: [Int32: TubeID]) throws {
        let lastBurial = contents.jobs.lazy.map(\.buryOrder).max() ?? 0
        var buryOffset: Int64 = 0
        if lastBurial > 0 {
            var places = Parameters()
            places.add(Int64(lastBurial))
            buryOffset = try connection.execute(.takeBurials, places).value(Int64.self) - Int64(lastBurial)
        }
        let checksIDs = try connection.execute(.hasJobs).value(Bool.self)
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
        if let id = try connection.execute(.takenID, parameters).values(Int64.self).first {
            throw ImportError.idTaken(id)
        }
    }

    private func addCounts(_ jobs: [BinlogJob], _ tubes: [Int32: TubeID]) throws {
        var counts: [TubeID: StateCounts] = [:]
        for job in jobs {
            counts[tubes[job.tube]!, default: StateCounts()].add(1, job.state.stored, priority: job.priority)
        }
        var parameters = Parameters()
        parameters.add(int4s: counts.keys)
        parameters.add(counts: counts.values)
        _ = try connection.execute(.importCounts, parameters)
    }
}

struct FoundImportColumns: RowColumns {
    let importedAt: Column<String>
    let jobs: Column<Int64>
    let knownFiles: Column<Int64>

    init(_ column: inout ColumnFinder) {
        importedAt = column("imported_at")
        jobs = column("jobs")
        knownFiles = column("known_files")
    }
}

struct RegisteredBrokerColumns: RowColumns {
    let epoch: Column<Int64>
    let pid: Column<Int32>
    let processSpace: Column<String>
    let beats: Column<Int64>
    let host: Column<String>

    init(_ column: inout ColumnFinder) {
        epoch = column("epoch")
        pid = column("pid")
        processSpace = column("process_space")
        beats = column("beats")
        host = column("host")
    }
}

/// Logs a line a second at most.
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
