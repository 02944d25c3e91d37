import Files
import LogKeys
import Logging

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// PostgreSQL's cluster in a data directory whose lock this broker holds: made, started and stopped with PostgreSQL's
/// own programs.
struct Cluster: Sendable {
    /// A part of the socket's name; PostgreSQL does not listen on TCP.
    static let port = 5432
    static let role = "beanrow"
    static let database = "beanrow"

    /// In seconds. Recovery after a crash replays `max_wal_size` of log, or more.
    private static let startTimeout = 300
    /// In seconds. A stop ends with a checkpoint.
    private static let stopTimeout = 300
    /// A start renames a log of more bytes than this.
    private static let logLimit = 10 << 20

    let directory: DataDirectory
    let installation: Installation
    let logger: Logger
    private let control: StartControl

    init(directory: DataDirectory, logger: Logger, control: StartControl) throws {
        self.directory = directory
        self.logger = logger
        self.control = control
        let version = try directory.asOwner { readFile(directory.cluster + "/PG_VERSION") }
        self.installation = try Installation.find(
            major: Int(version.prefix { $0.isNumber }), as: directory.account)
        control.use(Cluster(toAbort: self))
    }

    /// The copy that a control keeps of its cluster. It has another control: otherwise the two would retain each other.
    private init(toAbort cluster: Cluster) {
        directory = cluster.directory
        installation = cluster.installation
        logger = cluster.logger
        control = StartControl()
    }

    // MARK: Making

    /// Makes the cluster and its database if there is none. It is made beside its place and then renamed, so there is
    /// always a whole cluster or none, even if the broker is killed meanwhile.
    func createIfMissing() throws {
        let prefix = "cluster.new-"
        let (leftovers, exists) = try directory.asOwner {
            (
                entries(of: directory.path).filter { $0.hasPrefix(prefix) }.map { directory.path + "/" + $0 },
                fileStatus(directory.cluster + "/PG_VERSION") != nil
            )
        }
        if !leftovers.isEmpty {
            // A failure is ignored: an initdb that outlived its broker may still write there. The next start tries
            // again.
            _ = try command(["rm", "-rf", "--"] + leftovers).run()
        }
        guard !exists else { return }
        logger.info(
            "Creating a PostgreSQL \(installation.major) cluster", metadata: [LogKey.path: "\(directory.cluster)"])

        let new = try directory.asOwner { try makeOwnDirectory("\(directory.path)/\(prefix)") }
        do {
            try create(at: new)
            try control.check()
        } catch {
            _ = try? Command(as: directory.account, ["rm", "-rf", "--", new]).run()
            throw error
        }
        try directory.asOwner {
            guard rename(new, directory.cluster) == 0 else {
                throw systemError("rename \(new) to \(directory.cluster)")
            }
            try syncDirectory(directory.path)
        }
    }

    private func create(at path: String) throws {
        // Without a locale text compares by bytes, so no update of a library can make an index invalid.
        let initdb = ["--pgdata=\(path)", "--username=\(Self.role)", "--encoding=UTF8", "--no-locale", "--auth=trust"]
        try command([installation.program("initdb")] + initdb).check()
        try directory.asOwner {
            try writeFile(path + "/pg_hba.conf", Configuration.access)
            try writeFile(path + "/postgresql.conf", Configuration.include, appending: true)
        }
        // In single-user mode, without a server, so that the database exists before the cluster is renamed.
        let single = ["--single", "-D", path, "-c", "exit_on_error=true", "postgres"]
        try command([installation.program("postgres")] + single).check(input: "CREATE DATABASE \(Self.database)\n")
    }

    // MARK: Starting

    /// Starts the server, or finds the one that a killed broker has left running, and waits until it accepts
    /// connections.
    /// - Throws: `EmbeddedPostgresError.startTimedOut` after 300 s, `.startFailed`, `.cancelled` or `.system`.
    func start(settings: [String: String]) throws -> Postmaster {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.startTimeout)
        var report = clock.now + .seconds(5)
        while clock.now < deadline {
            try control.check()
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
        let logged = try directory.asOwner {
            // It holds a pid, which may now be another process's, as in postmaster.pid. No other server has a socket
            // here.
            unlink("\(socketDirectory)/.s.PGSQL.\(Self.port).lock")
            let text = Configuration.settings(settings, socketDirectory: socketDirectory)
            try writeFile(directory.cluster + "/beanrow.conf", text)
            if (fileStatus(directory.log)?.st_size ?? 0) > Self.logLimit { rename(directory.log, directory.log + ".1") }
            return Int(fileStatus(directory.log)?.st_size ?? 0)
        }

        let start = ["start", "-s", "-w", "-t", "\(Self.startTimeout)", "-D", directory.cluster, "-l", directory.log]
        let result = try command([installation.program("pg_ctl")] + start).run(whileWaiting: reportWaiting)
        // If a postmaster exists, the caller waits for it: it did not start in time, or another pg_ctl started it.
        guard result.status != 0, try Postmaster.find(in: directory) == nil else { return }
        try control.check()
        let log = try directory.asOwner { readFile(directory.log, from: logged) }
        if log.contains("pre-existing shared memory block") {
            // Sessions of a killed server are still ending. PostgreSQL waits for them, so the caller tries again.
            usleep(200_000)
            return
        }
        throw EmbeddedPostgresError.startFailed(reason: failureReason(log, result), log: directory.log)
    }

    /// Why the server did not start: from its log, unless the disk was too full to write one.
    private func failureReason(_ log: String, _ result: Command.Result) -> String {
        var space = statvfs()
        if log.isEmpty, fstatvfs(directory.descriptor.number, &space) == 0, space.f_bavail == 0 {
            return "there is no space left on the disk of \(directory.path)"
        }
        return log.isEmpty ? result.reason : Command.Result.reason(in: log)
    }

    private func reportWaiting() {
        logger.notice(
            "PostgreSQL is still starting; after a crash it replays its log",
            metadata: [LogKey.log: "\(directory.log)"]
        )
    }

    // MARK: Stopping

    /// Ends the server's sessions, writes a checkpoint and waits for the end. Does nothing when no server runs.
    /// - Throws: `EmbeddedPostgresError.commandFailed` when the server has not ended after 300 s.
    func stop() throws {
        if try Postmaster.find(in: directory) != nil {
            let stop = ["stop", "-s", "-w", "-m", "fast", "-t", "\(Self.stopTimeout)", "-D", directory.cluster]
            let result = try Command(as: directory.account, [installation.program("pg_ctl")] + stop).run()
            // pg_ctl also fails when the server has ended by itself meanwhile.
            if result.status != 0, try Postmaster.find(in: directory) != nil {
                throw EmbeddedPostgresError.commandFailed("pg_ctl stop", output: result.reason)
            }
        }
        try directory.removeShortSocketDirectory()
    }

    /// Stops the server of a cancelled start, whose pg_ctl may have ended before the postmaster wrote its file.
    func stopLeftover() throws {
        _ = waitForPostmaster(0.5)
        try stop()
    }

    /// Ends the server at once, without a checkpoint, so that the next start replays its log. Waits up to 2 s for the
    /// end.
    /// - Parameter mayStillCome: A start is under way; waits up to 1 s for its postmaster.
    func abort(mayStillCome: Bool) {
        guard let postmaster = waitForPostmaster(mayStillCome ? 1 : 0) else { return }
        // By pg_ctl, as the account: with the rights of root this could end any process that the file names.
        _ = try? Command(
            as: directory.account, [installation.program("pg_ctl"), "kill", "QUIT", "\(postmaster.pid)"]
        ).run()
        for _ in 0..<200 where kill(postmaster.pid, 0) == 0 { usleep(10_000) }
    }

    private func waitForPostmaster(_ seconds: Double) -> Postmaster? {
        for _ in 0..<Int(seconds / 0.02) {
            if let found = try? Postmaster.find(in: directory) { return found }
            usleep(20_000)
        }
        return try? Postmaster.find(in: directory)
    }

    /// A program of a start, which ends when the start is cancelled.
    private func command(_ arguments: [String]) -> Command {
        Command(as: directory.account, arguments, control: control)
    }
}
