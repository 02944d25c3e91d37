import BeanrowServer
import EmbeddedPostgres
import LogOutput
import Logging
import PostgresStore

/// What the options of `serve` mean for the modules that it starts.
extension Serve {
    // MARK: Configurations

    var serverConfiguration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.address = address
        configuration.port = Int(port.number)
        configuration.maxJobSize = jobLimit
        configuration.cacheBytes = cacheMemory << 20
        configuration.databaseTimeout = databaseTimeout
        configuration.threads = threads
        configuration.maxConnections = maxConnections
        configuration.idleTimeout = idleTimeout
        configuration.version = beanrowVersion
        return configuration
    }

    /// Bytes that a body may have: beanstalkd takes no more than 1 GiB for -z either.
    private var jobLimit: Int { min(maxJobSize, 1_073_741_824) }

    private var durability: Durability {
        neverFlush || flushMilliseconds > 0 ? .asynchronous : .synchronous
    }

    func storeConfiguration(_ database: String) -> StoreConfiguration {
        StoreConfiguration(
            database: database, schema: self.database.schema,
            durability: durability, migrates: !leavesSchema, startTimeout: databaseTimeout, maxJobSize: jobLimit)
    }

    func startCluster(_ control: StartControl, _ logger: Logger) async throws -> RunningCluster? {
        guard database.url == nil else { return nil }
        var settings: [String: String] = [:]
        if flushMilliseconds > 0 { settings["wal_writer_delay"] = "\(min(flushMilliseconds, 10_000))ms" }
        let embedded = EmbeddedPostgres(
            dataDirectory: dataDirectory ?? EmbeddedPostgres.defaultDataDirectory(), user: user, settings: settings,
            logger: logger)
        return try await onThread { try embedded.start(control: control) }
    }

    // MARK: Logging

    /// -V says more than --log-level where both are given.
    func makeLogger() -> (Logger, LogSink) {
        let given = logLevel ?? .info
        let level: Logger.Level =
            switch verbosity {
            case 0: given
            case 1: min(given, .debug)
            default: .trace
            }
        return LogLines.logger(level, as: logFormat)
    }

    /// The lines of ServiceLifecycle itself are of use only at the level trace.
    func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        if logger.logLevel > .trace { logger.logLevel = .error }
        return logger
    }

    func warn(_ logger: Logger) {
        if binlogSize != nil { logger.warning("-s has no effect: jobs are kept in PostgreSQL") }
        if compactBinlog { logger.warning("-c has no effect: jobs are kept in PostgreSQL") }
        if noCompactBinlog { logger.warning("-n has no effect: jobs are kept in PostgreSQL") }
        if maxJobSize > jobLimit { logger.warning("maximum job size was set to \(jobLimit)") }
        if CommandLineSecrets.werePassed {
            logger.warning(
                """
                a password stands on the command line, where other users may have seen it: store the password in \
                BEANROW_DATABASE, PGPASSWORD, a password file (PGPASSFILE) or a service file (PGSERVICEFILE) instead
                """)
        }
        if durability == .asynchronous {
            logger.warning("writes are answered before they are on disk (-f, -F): a crash of PostgreSQL may lose some")
        }
    }
}
