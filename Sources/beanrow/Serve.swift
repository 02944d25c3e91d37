import ArgumentParser
import BeanrowServer
import EmbeddedPostgres
import Foundation
import Logging
import PostgresStore
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the beanstalkd protocol (the default).",
        discussion: """
            Flags may be clustered as with beanstalkd: -VFu nobody, -p11300. \
            Other commands: see `beanrow help`.

            SIGTERM and SIGINT end it in order, with status 0; a second one ends it at once, with status 143 or 130, and \
            so does SIGQUIT. SIGUSR1 turns puts away from then on. SIGHUP is ignored.
            """)

    @OptionGroup var database: DatabaseOptions

    @Option(
        name: .customShort("l"),
        help: ArgumentHelp("Listen on this address, or on unix:PATH.", valueName: "addr"))
    var address = "127.0.0.1"

    @Option(
        name: .customShort("p"),
        help: ArgumentHelp(
            "Listen on this port, a number or a service's name; 0 takes a free one.", valueName: "port"))
    var port = Port(number: 11300)

    @Option(
        name: .customShort("u"),
        help: ArgumentHelp("Become this user once the socket is bound.", valueName: "user"))
    var user: String?

    @Option(
        name: .customShort("z"),
        help: ArgumentHelp("Largest job, in bytes.", valueName: "bytes"))
    var maxJobSize = 65535

    @Option(
        name: [.customShort("b"), .customLong("data-dir")],
        help: ArgumentHelp("Folder of the embedded PostgreSQL, when no database is given.", valueName: "dir"))
    var dataDirectory: String?

    @Option(
        name: .customShort("f"),
        help: ArgumentHelp(
            "0: a write is answered when it is on disk. More: when it has committed, on disk within about three "
                + "times so many milliseconds.", valueName: "ms"))
    var flushMilliseconds = 0

    @Flag(name: .customShort("F"), help: "A write is answered when it has committed, before it is on disk.")
    var neverFlush = false

    @Option(
        name: .customShort("s"),
        help: ArgumentHelp("Accepted for compatibility, without effect.", valueName: "bytes"))
    var binlogSize: Int?

    @Flag(name: .customShort("c"), help: "Accepted for compatibility, without effect.")
    var compactBinlog = false

    @Flag(name: .customShort("n"), help: "Accepted for compatibility, without effect.")
    var noCompactBinlog = false

    @Flag(name: .customShort("V"), help: "Log more; twice for still more.")
    var verbosity: Int

    @Flag(name: [.customShort("v"), .customLong("version")], help: "Print the version and exit.")
    var printsVersion = false

    @Option(help: ArgumentHelp("How long a write waits for the database before INTERNAL_ERROR.", valueName: "seconds"))
    var databaseTimeout = 10.0

    @Option(help: ArgumentHelp("Memory for jobs ahead of reserves.", valueName: "mib"))
    var cacheMemory = 64

    @Option(help: ArgumentHelp("Event loops for connections (default: half of the cores).", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Clients at a time; one more is told OUT_OF_MEMORY and closed (default: as many as there are file "
                + "descriptors for).", valueName: "count"))
    var maxConnections: Int?

    @Option(
        help: ArgumentHelp(
            "Close a client that has sent nothing for so long; its jobs go back. Not while it waits for a job or for "
                + "a reply, or is reading one (default: never).", valueName: "seconds"))
    var idleTimeout: Double?

    @Flag(name: .customLong("no-migrate"), help: "Do not bring the schema up; refuse one that is too old.")
    var leavesSchema = false

    func validate() throws {
        guard maxConnections ?? 1 >= 1 else { throw ValidationError("--max-connections takes 1 or more.") }
        guard (0.01...1e9).contains(idleTimeout ?? 1) else {
            throw ValidationError("--idle-timeout takes seconds, 0.01 or more.")
        }
        guard maxJobSize >= 0 else { throw ValidationError("-z takes a number of bytes, 0 or more.") }
        guard flushMilliseconds >= 0 else { throw ValidationError("-f takes a number of milliseconds, 0 or more.") }
        guard databaseTimeout > 0 else { throw ValidationError("--database-timeout takes seconds, more than 0.") }
        guard (1...1 << 20).contains(cacheMemory) else { throw ValidationError("--cache-memory takes 1 MiB or more.") }
        guard (1...64).contains(threads ?? 1) else { throw ValidationError("--threads takes 1 to 64.") }
        guard database.url == nil || dataDirectory == nil else {
            throw ValidationError("--database and --data-dir (-b) exclude each other: the jobs are in one of them.")
        }
    }

    func run() async throws {
        if printsVersion { return print(Beanrow.versionLine) }
        let logger = makeLogger()
        warn(logger)
        Signals.ignoreMeaningless()
        let control = StartControl()
        let ending = await Ending(takingAlong: control)
        do {
            try await serve(control, until: ending, logger)
            await ending.giveWay()
        } catch {
            await ending.giveWay()
            logger.critical("\(error)")
            throw Failure(status: ExitStatus(error))
        }
    }

    private func serve(_ control: StartControl, until ending: Ending, _ logger: Logger) async throws {
        let user = try user.map { try User(named: $0) }
        let server = try await Server(configuration: serverConfiguration, logger: logger)
        do {
            ending.whenAsked { control.cancel() }
            // As root it makes what the user shall own, and finds what root alone may.
            guard let cluster = try await startCluster(control, logger) else {
                try user?.become()
                return try await serve(server, with: [], database: database.url ?? "", until: ending, logger)
            }
            do {
                try await takeOver(cluster, until: ending, logger)
                try user?.become()
                let watch = ClusterWatch(cluster: cluster, logger: logger)
                try await serve(
                    server, with: [watch], database: cluster.connectionString, until: ending, logger)
            } catch {
                try? await onThread { try cluster.stop() }
                throw error
            }
            try await onThread { try cluster.stop() }
        } catch {
            await server.stop()
            guard case EmbeddedPostgresError.cancelled = error, ending.isAsked else { throw error }
            logger.info("ended before it served")
        }
    }

    private func serve(
        _ server: Server, with others: [any Service], database: String, until ending: Ending, _ logger: Logger
    ) async throws {
        // The database may be long in coming.
        let store = storeConfiguration(database)
        let attaching = Task { try await server.attach(store) }
        ending.whenAsked { attaching.cancel() }
        do {
            try await attaching.value
            try await run(ServiceGroup(services: [server] + others, logger: quiet(logger)), until: ending)
        } catch  where ending.isAsked && attaching.isCancelled {
            logger.info("ended before it served")
        }
        await server.stop()
    }

    private func run(_ group: ServiceGroup, until ending: Ending) async throws {
        ending.whenAsked { Task { await group.triggerGracefulShutdown() } }
        do {
            try await group.run()
        } catch let error as ServiceGroupError where error == .alreadyFinished() {
            // The signal came first.
        }
    }

    /// A beanstalkd's folder becomes the data directory. Its import, a transaction that may be long, ends with the
    /// cluster.
    private func takeOver(_ cluster: RunningCluster, until ending: Ending, _ logger: Logger) async throws {
        let (schema, migrates) = (database.schema, !leavesSchema)
        ending.whenAsked { DispatchQueue.global().async { try? cluster.stop() } }
        do {
            try await onThread { try importLeftBinlog(in: cluster, schema: schema, migrates: migrates, logger) }
        } catch  where ending.isAsked {
            throw EmbeddedPostgresError.cancelled
        }
    }

    // MARK: Options as configurations

    private var serverConfiguration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.address = address
        configuration.port = Int(port.number)
        configuration.maxJobSize = min(maxJobSize, Serve.largestJob)
        configuration.cacheBytes = cacheMemory << 20
        configuration.databaseTimeout = databaseTimeout
        configuration.threads = threads
        configuration.maxConnections = maxConnections
        configuration.idleTimeout = idleTimeout
        configuration.version = beanrowVersion
        return configuration
    }

    /// beanstalkd's limit of -z.
    private static let largestJob = 1_073_741_824

    private var durability: Durability {
        neverFlush || flushMilliseconds > 0 ? .asynchronous : .synchronous
    }

    private func storeConfiguration(_ database: String) -> StoreConfiguration {
        StoreConfiguration(
            database: database, schema: self.database.schema,
            durability: durability, migrates: !leavesSchema, startTimeout: databaseTimeout, maxJobSize: maxJobSize)
    }

    private func startCluster(_ control: StartControl, _ logger: Logger) async throws -> RunningCluster? {
        guard database.url == nil else { return nil }
        var settings: [String: String] = [:]
        if flushMilliseconds > 0 { settings["wal_writer_delay"] = "\(min(flushMilliseconds, 10_000))ms" }
        let embedded = EmbeddedPostgres(
            dataDirectory: dataDirectory ?? EmbeddedPostgres.defaultDataDirectory(), user: user, settings: settings,
            logger: logger)
        return try await onThread { try embedded.start(control: control) }
    }

    // MARK: Logging

    private func makeLogger() -> Logger {
        switch verbosity {
        case 0: LogLines.logger(.info)
        case 1: LogLines.logger(.debug)
        default: LogLines.logger(.trace)
        }
    }

    /// The lifecycle's own lines are of use only when something is looked for.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        if logger.logLevel > .trace { logger.logLevel = .error }
        return logger
    }

    private func warn(_ logger: Logger) {
        if binlogSize != nil { logger.warning("-s has no effect: jobs are kept in PostgreSQL") }
        if compactBinlog { logger.warning("-c has no effect: jobs are kept in PostgreSQL") }
        if noCompactBinlog { logger.warning("-n has no effect: jobs are kept in PostgreSQL") }
        if maxJobSize > Serve.largestJob { logger.warning("maximum job size was set to \(Serve.largestJob)") }
        if CommandLineSecrets.werePassed {
            logger.warning(
                """
                a password stands on the command line, where others may have seen it: BEANROW_DATABASE, PGPASSWORD, a \
                password file (PGPASSFILE) and a service file (PGSERVICEFILE) are safer
                """)
        }
        if durability == .asynchronous {
            logger.warning("writes are answered before they are on disk (-f, -F): a crash of PostgreSQL may lose some")
        }
    }
}

/// Runs what blocks on a thread of its own, not on the cooperative pool.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(with: Result { try body() })
        }
    }
}
