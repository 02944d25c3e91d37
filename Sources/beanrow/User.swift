import Foundation

/// The account could not be taken on (-u).
struct UserError: Error, CustomStringConvertible {
    let description: String
}

/// Gives up root's rights for good.
func becomeUser(_ name: String) throws {
    guard let entry = getpwnam(name) else { throw UserError(description: "there is no user named \(name)") }
    let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    guard user != geteuid() else { return }
    guard initgroups(name, group) == 0, setgid(group) == 0, setuid(user) == 0 else {
        throw UserError(
            description: "cannot become user \(name): \(String(cString: strerror(errno))); -u needs to start as root")
    }
}
