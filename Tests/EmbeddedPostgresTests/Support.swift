import Logging
import Testing

@testable import EmbeddedPostgres

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A data directory for one test under /tmp. Its server and files are removed after `body`, even if it throws.
func withDataDirectory(_ body: (_ path: String) throws -> Void) throws {
    let template = try #require(strdup("/tmp/beanrow-test-XXXXXX"))
    defer { free(template) }
    _ = try #require(mkdtemp(template))
    let root = String(cString: template)
    chmod(root, 0o755)
    let path = root + "/data"
    defer {
        if let left = Postmaster(pidFile: readFile(path + "/cluster/postmaster.pid")) { kill(left.pid, SIGQUIT) }
        _ = try? Command(as: .current, ["rm", "-rf", "--", root]).run()
    }
    try body(path)
}

/// A data directory with a cluster that was started and stopped once. It is a copy: making a cluster takes seconds.
func withCluster(_ body: (_ path: String) throws -> Void) throws {
    try withDataDirectory { path in
        let copied = try Command(as: .current, ["cp", "-a", StoppedCluster.shared.get().path, path]).run()
        try #require(copied.status == 0, "\(copied.output)")
        try body(path)
    }
}

/// The cluster that `withCluster` copies, until the end of the test process.
private struct StoppedCluster {
    let path: String

    static let shared = Result { try StoppedCluster() }

    private init() throws {
        let root = "/tmp/beanrow-test-cluster-\(getpid())"
        path = root + "/data"
        try makeDirectory(root, mode: 0o755)
        atexit { _ = try? Command(as: .current, ["rm", "-rf", "--", "/tmp/beanrow-test-cluster-\(getpid())"]).run() }
        try embedded(path).start().stop()
    }
}

func embedded(_ path: String, user: String? = nil, settings: [String: String] = [:]) -> EmbeddedPostgres {
    // The tests crash servers, but not the machine.
    let settings = ["fsync": "off"].merging(settings) { $1 }
    var logger = Logger(label: "test")
    logger.logLevel = .warning
    return EmbeddedPostgres(dataDirectory: path, user: user, settings: settings, logger: logger)
}

/// Writes a file with the rights of an account.
func writeFile(_ path: String, _ text: String, as account: Account) throws {
    try account.withFileRights { try writeFile(path, text) }
}

/// Gives a directory to an account, and closes it to others.
func give(_ directory: String, to account: Account) throws {
    try makePrivate(directory)
    try #require(chown(directory, account.uid, account.gid) == 0)
}

/// Runs a statement with `psql`.
/// - Returns: The last line of the result, unaligned and without headings.
@discardableResult
func sql(_ statement: String, _ connectionString: String) throws -> String {
    let arguments = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", connectionString, "-c", statement]
    let result = try Command(as: .current, arguments).run()
    try #require(result.status == 0, "\(result.output)")
    return result.lastLine
}

func mode(_ path: String) -> mode_t? {
    fileStatus(path).map { $0.st_mode & 0o777 }
}

/// Whether a process has ended. In a container a daemon may stay as a zombie, since no process waits for it.
func hasEnded(_ pid: pid_t) -> Bool {
    kill(pid, 0) != 0 || readFile("/proc/\(pid)/status").contains("State:\tZ")
}

/// Kills a process as a crash would, and waits for its end.
func crash(_ pid: pid_t) throws {
    kill(pid, SIGKILL)
    try wait(for: "the end of \(pid)") { hasEnded(pid) }
}

/// Waits until a condition holds. Fails after 60 s.
func wait(for what: String, until condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try !condition() {
        try #require(ContinuousClock.now < deadline, "waited in vain for \(what)")
        usleep(10_000)
    }
}

/// The error that a start of the cluster ends with.
func startError(_ postgres: EmbeddedPostgres) throws -> EmbeddedPostgresError {
    try #require(throws: EmbeddedPostgresError.self) { try postgres.start().stop() }
}

/// A program that runs beside the test until it is told to end.
struct Background {
    let pid: pid_t

    init(_ arguments: [String]) throws {
        let argv = arguments.map { strdup($0) } + [nil]
        defer { for string in argv { free(string) } }
        var pid = pid_t()
        let path = strdup("PATH=\(getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin")")
        defer { free(path) }
        try #require(posix_spawnp(&pid, arguments[0], nil, nil, argv, [path, nil]) == 0)
        self.pid = pid
    }

    func end() {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
}
