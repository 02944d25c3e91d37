import ArgumentParser
import Binlog
import Dispatch
import EmbeddedPostgres
import Files
import LogKeys
import Logging
import PostgresStore

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import the jobs of a stopped beanstalkd from its folder (-b DIR).",
        discussion: """
            It imports all jobs or none, and each folder once. beanstalkd's files stay as they are. \
            `beanrow -b DIR` does the same on its first start.
            """)

    @Argument(help: ArgumentHelp("The folder with beanstalkd's binlog files.", valueName: "dir"))
    var folder: String

    @OptionGroup var database: DatabaseOptions

    @Option(
        name: [.customShort("b"), .customLong("data-dir")],
        help: ArgumentHelp(
            "Folder of the embedded PostgreSQL, when no database is given (default: the folder of the binlog).",
            valueName: "dir"))
    var dataDirectory: String?

    @Flag(help: "Import the readable part of a damaged log.")
    var salvage = false

    @Flag(name: .customLong("no-migrate"), help: "Do not migrate the schema; refuse one that is too old.")
    var leavesSchema = false

    func validate() throws {
        guard database.url == nil || dataDirectory == nil else {
            throw ValidationError("--database and --data-dir (-b) exclude each other: the jobs are in one of them.")
        }
    }

    func run() async throws {
        let (logger, _) = LogLines.logger(.info)
        let control = StartControl()
        let termination = await Termination(aborting: control, hangup: true)
        // The cluster ends, and with it the import, which is one transaction.
        termination.whenRequested { control.cancel() }
        do {
            try await onThread { try runImport(control, termination, logger) }
            await termination.waitIfImmediate()
        } catch {
            await termination.waitIfImmediate()
            if let status = termination.status {
                logger.notice("ended by a signal")
                throw Failure(signalStatus: status)
            }
            logger.critical("\(error)")
            throw Failure(status: ExitStatus(error))
        }
    }

    private func runImport(_ control: StartControl, _ termination: Termination, _ logger: Logger) throws {
        let folder = try BinlogFolder(folder)
        guard !folder.numbers.isEmpty else { throw NothingToImport(path: folder.path) }
        guard database.url == nil else {
            // When the client has gone, the server rolls the import back.
            termination.whenRequested { termination.endNow() }
            return try runImport(folder, to: database.url!, folder.takeLock(), logger)
        }

        let target = dataDirectory ?? folder.path
        // A cluster in the folder itself takes the folder's lock when it starts.
        let isInside = (try? BinlogFolder(target).path) == folder.path
        let lock = try isInside ? nil : folder.takeLock()
        let cluster = try EmbeddedPostgres(dataDirectory: target, logger: logger).start(control: control)
        defer {
            do { try cluster.stop() } catch { logger.error("\(error)") }
        }
        termination.whenRequested { DispatchQueue.global().async { try? cluster.stop() } }
        try runImport(folder, to: cluster.connectionString, lock, logger)
    }

    private func runImport(_ folder: BinlogFolder, to url: String, _ lock: DirectoryLock?, _ logger: Logger) throws {
        try withExtendedLifetime(lock) {
            let outcome = try importJobs(
                of: folder, to: url, schema: database.schema, migrates: !leavesSchema, salvages: salvage,
                onlyOnce: false, logger)
            if case .changedSince = outcome { throw NothingImported() }
        }
    }
}

/// Imports the jobs that a beanstalkd has left in the data directory: on the first start of a broker there.
func importLeftBinlog(in cluster: RunningCluster, schema: String, migrates: Bool, _ logger: Logger) throws {
    let folder = try BinlogFolder(descriptor: cluster.directoryDescriptor, path: cluster.dataDirectory)
    guard !folder.numbers.isEmpty else { return }
    _ = try importJobs(
        of: folder, to: cluster.connectionString, schema: schema, migrates: migrates, salvages: false,
        onlyOnce: true, logger)
}

private func importJobs(
    of folder: BinlogFolder, to url: String, schema: String, migrates: Bool, salvages: Bool, onlyOnce: Bool,
    _ logger: Logger
) throws -> Importer.Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    var importer = try Importer(database: url, schema: schema, migrates: migrates, logger: logger)
    let outcome = try importer.run(folder, salvages: salvages, onlyOnce: onlyOnce)
    switch outcome {
    case .imported(let jobs, let tubes):
        logger.notice(
            "imported beanstalkd's jobs; its files are left as they were",
            metadata: [
                LogKey.folder: "\(folder.path)", LogKey.jobs: "\(jobs)", LogKey.tubes: "\(tubes)",
                LogKey.schema: "\(schema)",
                LogKey.time: "\(start.duration(to: clock.now))",
            ])
    case .empty:
        logger.info("beanstalkd's log has no jobs", metadata: [LogKey.folder: "\(folder.path)"])
    case .known(let schema, let at, let jobs):
        logger.log(
            level: onlyOnce ? .debug : .notice, "beanstalkd's jobs have been imported before",
            metadata: [
                LogKey.folder: "\(folder.path)", LogKey.jobs: "\(jobs)", LogKey.schema: "\(schema)", LogKey.at: "\(at)",
            ])
    case .changedSince(let at, let jobs):
        logger.warning(
            """
            beanstalkd has written to the folder since it was imported, and the new jobs are not imported: have \
            beanstalkd work them off, or import the whole folder into another schema (beanrow import --schema)
            """,
            metadata: [LogKey.folder: "\(folder.path)", LogKey.jobs: "\(jobs)", LogKey.at: "\(at)"])
    }
    return outcome
}

private struct NothingToImport: Error, CustomStringConvertible {
    let path: String
    var description: String { "There is no binlog of beanstalkd (files named binlog.1 and so on) in \(path)." }
}

private struct NothingImported: Error, CustomStringConvertible {
    var description: String { "nothing was imported" }
}
