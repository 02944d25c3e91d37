#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// One run of a program, which blocks the thread until the program has ended.
///
/// Not Foundation's `Process`: on Linux it waits on a socket that the program's children inherit, so it would wait for
/// the postmaster that `pg_ctl` starts. Nor swift-subprocess, whose interface is async (docs/decisions).
struct Command {
    struct Result {
        let status: Int32
        let output: String

        /// The cause of a failure, for people: the first lines that look like errors, else the last line with text.
        var reason: String { Self.reason(in: output) }

        /// The last line with text.
        var lastLine: String {
            String(output.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? "")
        }

        /// The cause of a failure in any output of PostgreSQL. Its programs print the error first and then what they do
        /// about it, so the last line may be `removing contents of data directory`.
        static func reason(in text: String) -> String {
            let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
            let errors = lines.compactMap(errorMessage)
            guard !errors.isEmpty else { return String(lines.last ?? "") }
            return errors.prefix(reasonLimit).joined(separator: "; ")
        }

        /// The number of lines: several programs may print one cause.
        private static let reasonLimit = 2

        /// The message of a line that looks like an error, without the time and the like before it; else `nil`.
        private static func errorMessage(_ line: Substring) -> String? {
            for severity in ["PANIC:", "FATAL:", "ERROR:"] {
                if let found = line.firstRange(of: severity) { return String(line[found.lowerBound...]) }
            }
            let isOne = ["error: ", "could not ", "cannot ", "failed: "].contains { line.contains($0) }
            return isOne ? String(line) : nil
        }
    }

    /// The environment variables that a program gets, besides `LC_ALL=C`. All others are left out: above all `PG*`,
    /// which change what PostgreSQL's programs do.
    private static let inherited = ["PATH", "HOME", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]

    let account: Account
    let arguments: [String]
    private let control: StartControl?

    /// - Parameters:
    ///   - account: The account that the program runs as.
    ///   - arguments: The program, by path or to be found in `PATH`, and its arguments. No shell reads them.
    ///   - control: Can end the program.
    init(as account: Account, _ arguments: [String], control: StartControl? = nil) {
        self.account = account
        self.arguments = arguments
        self.control = control
    }

    /// Runs the program to its end.
    /// - Throws: `EmbeddedPostgresError.commandFailed` unless its exit status is 0; `.cancelled` when `control` ended
    ///   it.
    func check(input: String = "") throws {
        let result = try run(input: input)
        guard result.status == 0 else {
            try control?.check()
            throw EmbeddedPostgresError.commandFailed(arguments[0], output: result.reason)
        }
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - input: Standard input; at most 4096 bytes, which fit into every pipe at once.
    ///   - whileWaiting: Called every 5 s in which the program prints nothing.
    /// - Returns: The exit status, and standard output and error together.
    /// - Throws: `EmbeddedPostgresError` when the program could not be started, or the start was cancelled before.
    func run(input: String = "", whileWaiting: () -> Void = {}) throws -> Result {
        let standardInput = try Pipe()
        let output = try Pipe()
        // Before the program starts: if it ended early, a write to its pipe would raise SIGPIPE.
        standardInput.fill(input)
        let pid: pid_t
        if let control {
            pid = try control.spawn { try spawn(input: standardInput.reading, output: output.writing) }
        } else {
            pid = try spawn(input: standardInput.reading, output: output.writing)
        }
        output.closeWriting()

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var poller = pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0)
            if poll(&poller, 1, 5000) == 0 {
                whileWaiting()
                continue
            }
            let count = read(output.reading, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        // From here on the pid may belong to another process.
        control?.childHasEnded()
        return Result(status: try wait(for: pid), output: String(decoding: bytes, as: UTF8.self))
    }

    private func spawn(input: Int32, output: Int32) throws -> pid_t {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        // The account may not be allowed into the broker's directory, and PostgreSQL must not keep it in use.
        _ = posix_spawn_file_actions_addchdir_np(&actions, "/")

        // A process group of its own: a Ctrl-C at the terminal is for the broker, which stops PostgreSQL last. Signals
        // that the broker ignores or blocks must have their defaults in PostgreSQL.
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // PostgreSQL may outlive its broker, and must not keep the broker's sockets open.
        #if canImport(Darwin)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
        _ = posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        #endif
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let arguments = account.running(arguments)
        let inherited = Self.inherited.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = (inherited + ["LC_ALL=C"]).map { strdup($0) } + [nil]
        defer { for string in argv + envp { free(string) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        if code == ENOENT, arguments[0] == "setpriv" {
            throw EmbeddedPostgresError.commandFailed("setpriv", output: "it was not found; install util-linux")
        }
        guard code == 0 else { throw systemError("run \(arguments[0])", code) }
        return pid
    }

    /// The exit status, or 128 plus the signal that ended the program.
    private func wait(for pid: pid_t) throws -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw systemError("wait for \(arguments[0])") }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// A pipe that closes itself, and that no other program inherits.
private final class Pipe {
    let reading: Int32
    private(set) var writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw systemError("make a pipe") }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        close(reading)
        closeWriting()
    }

    /// Writes all that the reader will get, and closes the writing end.
    func fill(_ text: String) {
        let bytes = Array(text.utf8)
        precondition(bytes.count <= 4096, "more than every pipe holds")
        _ = write(writing, bytes, bytes.count)
        closeWriting()
    }

    func closeWriting() {
        guard writing >= 0 else { return }
        close(writing)
        writing = -1
    }
}
