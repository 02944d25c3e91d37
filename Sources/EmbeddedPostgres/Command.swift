#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// One run of a program. (Not Foundation's `Process`: on Linux it waits on a socket that the program's own children
/// inherit, so it would wait for the postmaster that `pg_ctl` leaves behind.)
struct Command {
    struct Result {
        let status: Int32
        let output: String

        /// What to show a person: the first lines that say what went wrong, else the last that says something.
        var reason: String { Self.reason(in: output) }

        /// The last line that says something.
        var lastLine: String {
            String(output.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? "")
        }

        /// The same for any text of PostgreSQL's. Its programs tell what went wrong first, and then what they do about
        /// it: the last line is `removing contents of data directory`.
        static func reason(in text: String) -> String {
            let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
            let complaints = lines.compactMap(complaint)
            guard !complaints.isEmpty else { return String(lines.last ?? "") }
            return complaints.prefix(reasonLimit).joined(separator: "; ")
        }

        /// One cause may be told by several programs, and each cause once more by who is hit by it.
        private static let reasonLimit = 2

        /// What went wrong, if the line says that, without the time and the like before it.
        private static func complaint(_ line: Substring) -> String? {
            for severity in ["PANIC:", "FATAL:", "ERROR:"] {
                if let found = line.firstRange(of: severity) { return String(line[found.lowerBound...]) }
            }
            let isOne = ["error: ", "could not ", "cannot ", "failed: "].contains { line.contains($0) }
            return isOne ? String(line) : nil
        }
    }

    /// The variables a child gets, besides `LC_ALL=C`. Everything else stays out: above all `PG*`, which would change
    /// what PostgreSQL's programs do.
    private static let inherited = ["PATH", "HOME", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]

    let account: Account
    let arguments: [String]
    private let control: StartControl?

    /// `arguments` are the program, by path or to be found in `PATH`, and what it is given. No shell is involved.
    /// Whoever has `control` can end it.
    init(as account: Account, _ arguments: [String], control: StartControl? = nil) {
        self.account = account
        self.arguments = arguments
        self.control = control
    }

    /// Runs the program to its end and fails unless its exit status is 0.
    func check(input: String = "") throws {
        let result = try run(input: input)
        guard result.status == 0 else {
            try control?.check()
            throw EmbeddedPostgresError.commandFailed(arguments[0], output: result.reason)
        }
    }

    /// Runs the program to its end. It reads `input`, at most 4096 bytes, which fit into every pipe at once; its
    /// standard output and error are returned together. While it is silent, `whileWaiting` is called every 5 s.
    func run(input: String = "", whileWaiting: () -> Void = {}) throws -> Result {
        let standardInput = try Pipe()
        let output = try Pipe()
        // Before there is a reader that could end too early: a write to a pipe without one would be a SIGPIPE.
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
        // From here on the pid may become another's.
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
        // The broker's own directory may be out of the account's reach, and must not be kept busy.
        _ = posix_spawn_file_actions_addchdir_np(&actions, "/")

        // Its own process group: a Ctrl-C at the terminal is for the broker, who stops PostgreSQL last of all. Signals
        // that the broker ignores or blocks must not stay so in PostgreSQL.
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // PostgreSQL outlives its broker at times, and must not keep the broker's sockets open when it does.
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

    /// The exit status, or 128 and the signal that ended it.
    private func wait(for pid: pid_t) throws -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw systemError("wait for \(arguments[0])") }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// A pipe that closes itself, and that no other child inherits.
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

    /// Writes all there will ever be to read.
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
