#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The main process of a cluster's server, according to its `postmaster.pid`.
struct Postmaster: Equatable, Sendable {
    let pid: pid_t
    let socketDirectory: String
    /// Whether it accepts connections: it is neither starting (recovery included) nor stopping.
    let isReady: Bool

    /// Parses a `postmaster.pid`: pid, data directory, start time, port, socket directory, TCP address,
    /// shared memory, status.
    init?(pidFile text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = pid_t(first), pid > 0 else { return nil }
        self.pid = pid
        self.socketDirectory = lines.count > 4 ? String(lines[4]) : ""
        self.isReady = lines.count > 7 && lines[7].hasPrefix("ready")
    }

    /// The running postmaster of a cluster; `nil` when none runs.
    ///
    /// After a crash the file stays, and its pid may now be another process's, most likely in a container, where pids
    /// are reused soon. PostgreSQL would then refuse to start for ever, so such a file is removed.
    static func find(in directory: DataDirectory) throws -> Postmaster? {
        try directory.asOwner {
            let path = directory.cluster + "/postmaster.pid"
            guard let found = Postmaster(pidFile: readFile(path)), kill(found.pid, 0) == 0 || errno == EPERM else {
                return nil
            }
            if found.works(in: directory.cluster) { return found }
            unlink(path)
            return nil
        }
    }

    /// Whether the process works in the cluster, as a postmaster does. To be called with the rights of the account:
    /// root in a container often may not read this.
    private func works(in cluster: String) -> Bool {
        guard fileStatus("/proc/self/cwd") != nil else { return true }
        var (working, own) = (stat(), stat())
        return stat("/proc/\(pid)/cwd", &working) == 0 && stat(cluster, &own) == 0
            && working.st_dev == own.st_dev && working.st_ino == own.st_ino
    }
}
