import Foundation
import TestKit

/// A place for the folder of an embedded PostgreSQL, removed with this object.
final class EmbeddedPlace {
    let path = "\(scratchDirectory)/beanrow-place-\(UUID())"
    var dataDirectory: String { path + "/data" }

    init(owner: uid_t = geteuid()) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        chmod(path, 0o755)
        chown(path, owner, gid_t.max)
    }

    deinit {
        // A failed test may have left it running.
        if let pid = postmaster { kill(pid, SIGQUIT) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The pid in the file of the postmaster, whether it runs or not.
    var postmaster: pid_t? {
        let file = try? String(contentsOfFile: dataDirectory + "/cluster/postmaster.pid", encoding: .utf8)
        return file?.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    /// Whether any process has the folder in its command line.
    var isInUse: Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.contains { name in
            guard Int32(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).contains(dataDirectory)
        }
    }

    /// Starts a broker with this folder, by a launcher such as `env -i`.
    func broker(_ launcher: [String] = [], options: [String] = []) throws -> BrokerProcess {
        var configuration = BrokerProcess.Configuration(dataDirectory: dataDirectory, options: options)
        configuration.launcher = launcher
        return try BrokerProcess(configuration)
    }
}

extension BrokerProcess {
    /// Puts a job.
    func takesAPut() throws {
        let client = try connect()
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expectInserted()
    }
}
