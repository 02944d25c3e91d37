import LogKeys
import Logging

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// PostgreSQL's cluster in a data directory whose lock is held: made, started and stopped with its own programs.
struct Cluster: Sendable {
    /// Only a part of the socket's name: nothing listens on TCP.
    static let port = 5432
    static let role = "beanrow"
    static let database = "beanrow"

    /// How long a start may take, in seconds: recovery after a crash replays up to `max_wal_size` of log, and more.
    private static let startTimeout = 300
    /// How long a stop may take, in seconds: it ends with a checkpoint.
    private static let stopTimeout = 300
    /// Bytes of the log beyond which a start sets it aside.
    private static let logLimit = 10 << 20

    let directory: DataDirectory
    let installation: Installation
    let logger: Logger

    init(directory: DataDirectory, logger: Logger) throws {
        self.directory = directory
        self.logger = logger
        let version = readFile(directory.cluster + "/PG_VERSION")
        self.installation = try Installation.find(major: Int(version.prefix { $0.isNumber }))
    }

    // MARK: Making

    /// Makes the cluster and its database if there is none. It is made beside its place and then renamed, so there is
    /// a whole cluster or none, wherever a broker was interrupted.
    func createIfMissing() throws {
        let prefix = "cluster.new-"
        let leftovers = entries(of: directory.path).filter { $0.hasPrefix(prefix) }.map { directory.path + "/" + $0 }
        if !leftovers.isEmpty {
            // Best effort: an initdb that outlived its broker may still write there, and the next start tries again.
            _ = try command(["rm", "-rf", "--"] + leftovers).run()
        }
        guard fileStatus(directory.cluster + "/PG_VERSION") == nil else { return }
        logger.info(
            "Creating a PostgreSQL \(installation.major) cluster", metadata: [LogKey.path: "\(directory.cluster)"])

        guard let template = strdup("\(directory.path)/\(prefix)XXXXXX"), mkdtemp(template) != nil else {
            throw systemError("make a directory in \(directory.path)")
        }
        defer { free(template) }
        let new = String(cString: template)
        do {
            try create(at: new)
        } catch {
            _ = try? command(["rm", "-rf", "--", new]).run()
            throw error
        }
        guard rename(new, directory.cluster) == 0 else { throw systemError("rename \(new) to \(directory.cluster)") }
        try syncDirectory(directory.path)
    }

    private func create(at path: String) throws {
        let account = directory.account
        try makePrivate(path, owner: account)
        // No locale: text compares by bytes, the same on every system, so no library update can spoil an index.
        let initdb = ["--pgdata=\(path)", "--username=\(Self.role)", "--encoding=UTF8", "--no-locale", "--auth=trust"]
        try command([installation.program("initdb")] + initdb).check()
        try writeFile(path + "/pg_hba.conf", Configuration.access, owner: account)
        try writeFile(path + "/postgresql.conf", Configuration.include, appending: true, owner: account)
        // Single-user mode needs no server, so the database is part of what the rename makes visible.
        let single = ["--single", "-D", path, "-c", "exit_on_error=true", "postgres"]
        try command([installation.program("postgres")] + single).check(input: "CREATE DATABASE \(Self.database)\n")
    }

    // MARK: Starting

    /// Starts the server, or finds the one that a killed broker left running, and waits until it accepts connections.
    func start(settings: [String: String]) throws -> Postmaster {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.startTimeout)
        var report = clock.now + .seconds(5)
        while clock.now < deadline {
            guard let postmaster = try Postmaster.find(in: directory) else {
                try launch(settings: settings)
                continue
            }
            if postmaster.isReady { return postmaster }
            if clock.now > report {
                reportWaiting()
                report += .seconds(5)
            }
            usleep(50_000)
        }
        throw EmbeddedPostgresError.startTimedOut(seconds: Self.startTimeout, log: directory.log)
    }

    private func launch(settings: [String: String]) throws {
        let socketDirectory = try directory.makeSocketDirectory()
        // It names a pid too, which misleads as the one in postmaster.pid does. Nobody else has a socket here.
        unlink("\(socketDirectory)/.s.PGSQL.\(Self.port).lock")
        let text = Configuration.settings(settings, socketDirectory: socketDirectory)
        try writeFile(directory.cluster + "/beanrow.conf", text, owner: directory.account)
        if (fileStatus(directory.log)?.st_size ?? 0) > Self.logLimit { rename(directory.log, directory.log + ".1") }
        let logged = Int(fileStatus(directory.log)?.st_size ?? 0)

        let start = ["start", "-s", "-w", "-t", "\(Self.startTimeout)", "-D", directory.cluster, "-l", directory.log]
        let result = try command([installation.program("pg_ctl")] + start).run(whileWaiting: reportWaiting)
        // Not started in time, or another pg_ctl was faster: either way there is one to wait for.
        guard result.status != 0, try Postmaster.find(in: directory) == nil else { return }
        let log = readFile(directory.log, from: logged)
        if log.contains("pre-existing shared memory block") {
            // Sessions of a killed server are still ending. PostgreSQL rightly waits for them, and so does the caller.
            usleep(200_000)
            return
        }
        let fatal = log.split(separator: "\n").first { $0.contains("FATAL:") }
        throw EmbeddedPostgresError.startFailed(reason: fatal.map(String.init) ?? result.lastLine, log: directory.log)
    }

    private func reportWaiting() {
        logger.notice(
            "PostgreSQL is still starting; after a crash it replays its log",
            metadata: [LogKey.log: "\(directory.log)"]
        )
    }

    // MARK: Stopping

    /// Ends the server's sessions, writes a checkpoint and waits for the end. Nothing happens when none runs.
    func stop() throws {
        if try Postmaster.find(in: directory) != nil {
            let stop = ["stop", "-s", "-w", "-m", "fast", "-t", "\(Self.stopTimeout)", "-D", directory.cluster]
            let result = try command([installation.program("pg_ctl")] + stop).run()
            // It may have ended by itself meanwhile, which pg_ctl calls a failure.
            if result.status != 0, try Postmaster.find(in: directory) != nil {
                throw EmbeddedPostgresError.commandFailed("pg_ctl stop", output: result.lastLine)
            }
        }
        directory.removeShortSocketDirectory()
    }

    private func command(_ arguments: [String]) -> Command {
        Command(as: directory.account, arguments)
    }
}
