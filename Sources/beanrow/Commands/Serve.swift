import AdminServer
import ArgumentParser
import BeanrowServer
import Dispatch
import EmbeddedPostgres
import LogOutput
import Logging
import PostgresStore
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the beanstalkd protocol (the default).",
        discussion: """
            Flags may be clustered as with beanstalkd: -VFu nobody, -p11300. \
            Other commands: see `beanrow help`.

            SIGTERM and SIGINT stop it in order, with status 0. A second one stops it at once, with status 143 or 130; \
            so does SIGQUIT, with 131. SIGUSR1 refuses puts from then on (DRAINING). SIGHUP is ignored.
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
            "0: answer a write when it is on disk. More: answer it when it has committed; it is on disk within about "
                + "three times this many milliseconds.", valueName: "ms"))
    var flushMilliseconds = 0

    @Flag(name: .customShort("F"), help: "Answer a write when it has committed, before it is on disk.")
    var neverFlush = false

    @Option(
        name: .customShort("s"),
        help: ArgumentHelp("Accepted for compatibility, without effect.", valueName: "bytes"))
    var binlogSize: Int?

    @Flag(name: .customShort("c"), help: "Accepted for compatibility, without effect.")
    var compactBinlog = false

    @Flag(name: .customShort("n"), help: "Accepted for compatibility, without effect.")
    var noCompactBinlog = false

    @Flag(name: .customShort("V"), help: "Log more; given twice, log everything.")
    var verbosity: Int

    @Option(
        help: ArgumentHelp("How log records are written: text, json or logfmt, a line each.", valueName: "format"))
    var logFormat = LogFormat.text

    @Option(
        help: ArgumentHelp(
            "Log from this level on: trace, debug, info, notice, warning, error, critical (default: info).",
            valueName: "level"))
    var logLevel: Logger.Level?

    @Flag(name: [.customShort("v"), .customLong("version")], help: "Print the version and exit.")
    var printsVersion = false

    @Option(help: ArgumentHelp("How long a write waits for the database before INTERNAL_ERROR.", valueName: "seconds"))
    var databaseTimeout = 10.0

    @Option(help: ArgumentHelp("Memory for jobs that are read ahead of reserves.", valueName: "mib"))
    var cacheMemory = 64

    @Option(help: ArgumentHelp("Event loops for connections (default: half of the cores).", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Clients that may be connected at once; more get OUT_OF_MEMORY and are closed (default: as many as there "
                + "are file descriptors for).", valueName: "count"))
    var maxConnections: Int?

    @Option(
        help: ArgumentHelp(
            "Close a client that has sent nothing for this long; its jobs go back. Not while it waits for a job or a "
                + "reply, or reads one (default: never).", valueName: "seconds"))
    var idleTimeout: Double?

    @OptionGroup(title: "HTTP") var http: HTTPOptions

    @OptionGroup(title: "Metrics") var metrics: MetricsOptions

    @Flag(name: .customLong("no-migrate"), help: "Do not migrate the schema; refuse one that is too old.")
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
        let (logger, log) = makeLogger()
        defer { log.flush() }
        warn(logger)
        Signals.ignoreMeaningless()
        let control = StartControl()
        let termination = await Termination(aborting: control)
        do {
            try await serve(control, until: termination, logger)
            await termination.waitIfImmediate()
        } catch {
            await termination.waitIfImmediate()
            logger.critical("\(error)")
            throw Failure(status: ExitStatus(error))
        }
    }

    private func serve(_ control: StartControl, until termination: Termination, _ logger: Logger) async throws {
        let user = try user.map { try User(named: $0) }
        let server = try await Server(configuration: serverConfiguration, logger: logger)
        var admin: AdminListener?
        do {
            admin = try await openAdmin(server, logger)
            termination.whenRequested { control.cancel() }
            // Before the change of user: root can make what the user is to own, and read what only root may.
            guard let cluster = try await startCluster(control, logger) else {
                try user?.become()
                return try await serve(
                    server, admin, with: [], database: database.url ?? "", until: termination, logger)
            }
            do {
                try await importBinlog(of: cluster, until: termination, logger)
                try user?.become()
                let watch = ClusterWatch(cluster: cluster, logger: logger)
                try await serve(
                    server, admin, with: [watch], database: cluster.connectionString, until: termination, logger)
            } catch {
                try? await onThread { try cluster.stop() }
                throw error
            }
            try await onThread { try cluster.stop() }
        } catch {
            await admin?.stop()
            await server.stop()
            guard case EmbeddedPostgresError.cancelled = error, termination.isRequested else { throw error }
            logger.info("ended before it served")
        }
    }

    private func serve(
        _ server: Server, _ admin: AdminListener?, with others: [any Service], database: String,
        until termination: Termination, _ logger: Logger
    ) async throws {
        // The database may take long to answer.
        let store = storeConfiguration(database)
        let attaching = Task { try await server.attach(store) }
        termination.whenRequested { attaching.cancel() }
        do {
            try await attaching.value
            admin?.use(store)
            try await run(ServiceGroup(services: [server] + others, logger: quiet(logger)), until: termination)
        } catch  where termination.isRequested && attaching.isCancelled {
            logger.info("ended before it served")
        }
        await admin?.stop()
        await server.stop()
    }

    private func run(_ group: ServiceGroup, until termination: Termination) async throws {
        termination.whenRequested { Task { await group.triggerGracefulShutdown() } }
        do {
            try await group.run()
        } catch let error as ServiceGroupError where error == .alreadyFinished() {
            // The signal came before the group ran.
        }
    }

    /// Imports the jobs of a beanstalkd whose folder has become the data directory. The import is one transaction,
    /// which may be long; stopping the cluster ends it.
    private func importBinlog(of cluster: RunningCluster, until termination: Termination, _ logger: Logger) async throws
    {
        let (schema, migrates) = (database.schema, !leavesSchema)
        termination.whenRequested { DispatchQueue.global().async { try? cluster.stop() } }
        do {
            try await onThread { try importLeftBinlog(in: cluster, schema: schema, migrates: migrates, logger) }
        } catch  where termination.isRequested {
            throw EmbeddedPostgresError.cancelled
        }
    }
}
