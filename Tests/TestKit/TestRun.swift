import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Where tests keep their files: in memory if there is room for the clusters of several test processes, else on the disk.
///
/// A cluster has thousands of small files, which some disks make and remove slowly.
public let scratchDirectory: String = {
    #if os(Linux)
    var shared = statvfs()
    let hasRoom = statvfs("/dev/shm", &shared) == 0 && UInt64(shared.f_bavail) * UInt64(shared.f_frsize) >= 8 << 30
    if hasRoom, access("/dev/shm", W_OK) == 0 { return "/dev/shm" }
    #endif
    return "/tmp"
}()

/// The directory of this test process, and the order in which the servers that it has started are stopped.
///
/// The directory is removed at exit. A run that is killed leaves it behind. Its name holds the pid of the run, so that a
/// later run can end the processes that are noted there and remove it.
final class TestRun: Sendable {
    static let shared = TestRun()

    let directory: String
    private let state = Mutex(State())

    private struct State {
        var names = 0
        var cleanups: [@Sendable () -> Void] = []
    }

    private static let prefix = "beanrow-test-"

    private init() {
        Self.removeLeftovers()
        directory = "\(scratchDirectory)/\(Self.prefix)\(getpid())"
        try? FileManager.default.removeItem(atPath: directory)
        // The user `postgres` needs access when the tests run as root.
        mkdir(directory, 0o755)
        atexit { TestRun.shared.end() }
    }

    /// A new path in the directory; nothing is created.
    func path(_ name: String) -> String {
        let number = state.withLock { state in
            state.names += 1
            return state.names
        }
        return "\(directory)/\(name)-\(number)"
    }

    /// Adds a cleanup that runs before the directory is removed at exit, the latest first.
    func atEnd(_ cleanup: @escaping @Sendable () -> Void) {
        state.withLock { $0.cleanups.append(cleanup) }
    }

    /// Notes a process, so that a later run can end it if this one is killed.
    func note(pid: Int32) -> String {
        let note = path("pid")
        if let command = Self.command(of: pid) {
            try? "\(pid)\n\(command)".write(toFile: note, atomically: false, encoding: .utf8)
        }
        return note
    }

    private func end() {
        let cleanups = state.withLock { state in
            defer { state.cleanups = [] }
            return state.cleanups
        }
        for cleanup in cleanups.reversed() { cleanup() }
        Self.endNoted(in: directory)
        Self.remove(directory)
    }

    private static func removeLeftovers() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: scratchDirectory)) ?? []
        for name in names where name.hasPrefix(prefix) {
            guard let pid = Int32(name.dropFirst(prefix.count)), pid != getpid() else { continue }
            guard kill(pid, 0) != 0, errno == ESRCH else { continue }
            endNoted(in: "\(scratchDirectory)/\(name)")
            remove("\(scratchDirectory)/\(name)")
        }
    }

    /// Unmounts what is mounted in the directory of a test process, and removes it.
    private static func remove(_ directory: String) {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        for mount in mounts.split(separator: "\n") {
            let words = mount.split(separator: " ")
            guard words.count > 1, words[1].hasPrefix("\(directory)/") else { continue }
            // Lazily: a backend without its postmaster may use the file system for another moment.
            _ = try? ChildProcess.run(ChildProcess.find("umount", orIn: ["/bin"]), ["-l", String(words[1])])
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Kills the noted processes whose command lines still match: the system may have given a pid to another program.
    private static func endNoted(in directory: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("pid-") {
            guard let note = try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8) else { continue }
            let parts = note.split(separator: "\n", maxSplits: 1)
            guard parts.count == 2, let pid = Int32(parts[0]), command(of: pid) == String(parts[1]) else { continue }
            kill(pid, SIGKILL)
            // A backend without its postmaster ends by itself. Until then it uses the directory.
            let deadline = Deadline(after: 5)
            while kill(pid, 0) == 0, deadline.millisecondsLeft > 0 { pause(milliseconds: 10) }
        }
    }

    /// The command line of a process, or nil if there is none.
    private static func command(of pid: Int32) -> String? {
        #if os(Linux)
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline"), !data.isEmpty else { return nil }
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        #else
        return nil
        #endif
    }
}
