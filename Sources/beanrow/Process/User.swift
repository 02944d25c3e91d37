#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The process could not become the user of -u.
struct UserError: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String
}

/// The account that the process is to run as (-u).
struct User {
    let name: String
    private let user: uid_t
    private let group: gid_t

    init(named name: String) throws {
        guard let entry = getpwnam(name) else {
            throw UserError(status: .noUser, description: "there is no user named \(name) (-u)")
        }
        self.name = name
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// Gives up root's rights for good.
    func become() throws {
        guard user != geteuid() else { return }
        guard initgroups(name, group) == 0, setgid(group) == 0 else {
            throw UserError(
                status: .noGroupChange, description: "cannot take on the groups of \(name) (-u): start as root")
        }
        guard setuid(user) == 0 else {
            throw UserError(status: .noUserChange, description: "cannot become user \(name) (-u): start as root")
        }
    }
}
