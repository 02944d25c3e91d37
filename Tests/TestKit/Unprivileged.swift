import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Programs that refuse to run as root. If the tests run as root, these run as `postgres`.
enum Unprivileged {
    static let account: (user: uid_t, group: gid_t)? =
        geteuid() == 0 ? getpwnam("postgres").map { ($0.pointee.pw_uid, $0.pointee.pw_gid) } : nil

    /// The command that runs the program as that account.
    static func command(
        _ program: String, _ arguments: [String], orIn directories: [String] = []
    ) throws -> (executable: String, arguments: [String]) {
        let path = try ChildProcess.find(program, orIn: directories)
        guard let account else { return (path, arguments) }
        let user = ["--reuid=\(account.user)", "--regid=\(account.group)", "--init-groups", "--", path]
        return (try ChildProcess.find("setpriv"), user + arguments)
    }

    /// Makes a directory that belongs to that account.
    static func makeDirectory(_ path: String) {
        mkdir(path, 0o700)
        if let account { chown(path, account.user, account.group) }
    }
}
