import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A program started by a test, with both its outputs going to a file.
///
/// posix_spawn and waitpid rather than Foundation's Process, which needs a run loop to notice an exit.
public final class ChildProcess: Sendable {
    let pid: Int32
    let output: String
    private let code = Mutex<Int32?>(nil)

    /// Starts the program, which is killed when nobody refers to it any more; `output` is the file that its stdout and
    /// stderr are appended to.
    public init(_ executable: String, _ arguments: [String], output: String) throws {
        self.output = output
        #if canImport(Glibc)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // Tests run on threads that block signals. A child that inherits the mask never gets a SIGTERM.
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, executable, &actions, &attributes, argv, environ)
        guard error == 0 else {
            throw WireMismatch("cannot start \(executable): \(String(cString: strerror(error)))")
        }
        self.pid = pid
    }

    deinit {
        if exitCode == nil {
            signal(SIGKILL)
            _ = waitForExit()
        }
    }

    /// The exit code once the program has ended; 128 + n if signal n ended it.
    var exitCode: Int32? {
        code.withLock { code in
            if code != nil { return code }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            code = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            return code
        }
    }

    func waitForExit(within seconds: Double = patience) -> Int32? {
        let deadline = Deadline(after: seconds)
        while deadline.millisecondsLeft > 0 {
            if let exitCode { return exitCode }
            pause(milliseconds: 2)
        }
        return exitCode
    }

    /// Sends a signal, unless the program has ended and its pid may belong to another one.
    func signal(_ number: Int32) {
        code.withLock { code in
            if code == nil { kill(pid, number) }
        }
    }

    /// What the program has printed so far.
    var printed: String {
        (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    }

    /// Runs a program to its end and returns its output; a failure throws with that output.
    static func run(_ executable: String, _ arguments: [String], within seconds: Double = patience) throws -> String {
        let output = TestRun.shared.path("run")
        defer { unlink(output) }
        let child = try ChildProcess(executable, arguments, output: output)
        let command = ([executable] + arguments).joined(separator: " ")
        guard let code = child.waitForExit(within: seconds) else {
            throw WireMismatch("not done in \(seconds) s: \(command)\n\(child.printed)")
        }
        guard code == 0 else {
            throw WireMismatch("exit code \(code): \(command)\n\(child.printed)")
        }
        return child.printed
    }

    /// The full path of a program on PATH, or in one of the other directories.
    static func find(_ name: String, orIn directories: [String] = []) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let candidates = (path.split(separator: ":").map(String.init) + directories).map { "\($0)/\(name)" }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw WireMismatch("no \(name) on PATH")
        }
        return found
    }
}

/// Runs a program to its end and returns what it printed; a failure throws with that output.
public func runProgram(
    _ executable: String, _ arguments: [String], within seconds: Double = patience
) throws -> String {
    try ChildProcess.run(executable, arguments, within: seconds)
}
