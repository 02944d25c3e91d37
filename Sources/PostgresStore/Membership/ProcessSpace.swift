import Foundation

/// Identifies a process among those that share a database.
enum ProcessSpace {
    static var host: String { ProcessInfo.processInfo.hostName }
    static var pid: Int32 { getpid() }

    /// The machine's boot and pid namespace: where both are equal, equal pids are the same process.
    static let name: String = {
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        guard let boot, let space else { return "unknown:\(UUID())" }
        return boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + space
    }()

    /// True if the process was one of this space and has ended. Of another space's processes nothing is known.
    static func hasEnded(_ pid: Int32, in space: String) -> Bool {
        space == name && kill(pid, 0) != 0 && errno == ESRCH
    }
}
