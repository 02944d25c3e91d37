/// Why the private cluster could not be made, started or stopped. Each description says what to do.
public enum EmbeddedPostgresError: Error, Equatable, CustomStringConvertible {
    /// PostgreSQL's server programs are not installed, or not in the major version that the cluster needs.
    case programsNotFound(major: Int?)
    /// The account that PostgreSQL should run as cannot be used.
    case unusableAccount(String, reason: String)
    /// The data directory cannot hold a cluster.
    case unsuitableDirectory(String, reason: String)
    /// PostgreSQL's account may not pass through `directory`, which is above the data directory.
    case unreachable(directory: String, account: String)
    /// Another broker holds the data directory.
    case inUse(dataDirectory: String, pid: Int32?)
    /// The operating system refused an operation on a file or directory.
    case system(operation: String, reason: String)
    /// One of PostgreSQL's programs failed; `output` is its error message.
    case commandFailed(String, output: String)
    /// PostgreSQL ended while starting.
    case startFailed(reason: String, log: String)
    /// PostgreSQL was still starting when the wait ended. It goes on starting, and the next start finds it.
    case startTimedOut(seconds: Int, log: String)
    /// The start was cancelled by its `StartControl`.
    case cancelled

    public var description: String {
        switch self {
        case .programsNotFound(nil):
            """
            PostgreSQL's programs (initdb, pg_ctl, postgres) were not found: install them \
            (apt install postgresql), put them in PATH, or name a database with --database.
            """
        case .programsNotFound(let major?):
            """
            The data directory was made by PostgreSQL \(major), whose programs were not found: install them \
            (apt install postgresql-\(major)) or bring the cluster to the installed version with pg_upgrade.
            """
        case .unusableAccount(let name, let reason):
            "PostgreSQL cannot run as \(name): \(reason)."
        case .unsuitableDirectory(let path, let reason):
            "\(path) cannot be the data directory: \(reason)."
        case .unreachable(let directory, let account):
            """
            PostgreSQL runs as \(account), who may not pass through \(directory): choose a data directory \
            elsewhere (/var/lib/beanrow) or allow it with chmod a+x \(directory).
            """
        case .inUse(let dataDirectory, let pid):
            """
            Another broker\(pid.map { " (pid \($0))" } ?? "") uses the data directory \(dataDirectory): \
            stop it or choose another data directory.
            """
        case .system(let operation, let reason):
            "Cannot \(operation): \(reason); fix that or choose another data directory."
        case .commandFailed(let program, let output):
            "\(program) failed, so fix what it reports: \(output.isEmpty ? "it printed nothing" : output)"
        case .startFailed(let reason, let log):
            "PostgreSQL did not start (\(reason)): read \(log), fix the cause and start again."
        case .startTimedOut(let seconds, let log):
            """
            PostgreSQL is still starting after \(seconds) s, most likely recovering from a crash: \
            start again to go on waiting, and read \(log) for its progress.
            """
        case .cancelled: "The start of PostgreSQL was cancelled."
        }
    }
}
