#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The system account PostgreSQL runs as. PostgreSQL refuses to run as root, so a broker started by root lends it one.
struct Account: Equatable, Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// The account of this process. A container may run under a number that has no name.
    static var current: Account {
        Account(uid: geteuid()) ?? Account(name: "user \(geteuid())", uid: geteuid(), gid: getegid())
    }

    /// Chooses the account: `user` when given, else the owner of the cluster that is already there, else, for root,
    /// `postgres` or `nobody`, and for anyone else themselves.
    static func choose(user: String?, owner: uid_t?) throws -> Account {
        let named = try user.map { name in
            guard let account = Account(name: name) else {
                throw EmbeddedPostgresError.unusableAccount(name, reason: "there is no such account, so name another")
            }
            return account
        }
        guard geteuid() == 0 else {
            if let named, named != current {
                throw EmbeddedPostgresError.unusableAccount(
                    named.name,
                    reason: "only root can choose another account, so start the broker as \(named.name)"
                )
            }
            return current
        }
        if named?.uid == 0 {
            throw EmbeddedPostgresError.unusableAccount("root", reason: "it refuses to, so name another account")
        }
        if let named { return named }
        if let owner, owner != 0, let account = Account(uid: owner) { return account }
        guard let account = Account(name: "postgres") ?? Account(name: "nobody") else {
            throw EmbeddedPostgresError.unusableAccount(
                "root",
                reason: "it refuses to, and there is no account postgres or nobody, so name another"
            )
        }
        return account
    }

    init(name: String, uid: uid_t, gid: gid_t) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }

    init?(name: String) {
        self.init { record, buffer, size, result in getpwnam_r(name, record, buffer, size, result) }
    }

    init?(uid: uid_t) {
        self.init { record, buffer, size, result in getpwuid_r(uid, record, buffer, size, result) }
    }

    private typealias LookUp = (
        _ record: UnsafeMutablePointer<passwd>, _ buffer: UnsafeMutablePointer<CChar>, _ size: Int,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private init?(_ lookUp: LookUp) {
        var record = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard lookUp(&record, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        self.init(name: String(cString: record.pw_name), uid: record.pw_uid, gid: record.pw_gid)
    }

    /// The arguments that run a program as this account: `setpriv` gives up root for good, supplementary groups
    /// included, and then becomes the program. (Swift cannot do it itself between fork and exec.)
    func running(_ arguments: [String]) -> [String] {
        guard uid != geteuid() else { return arguments }
        return ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--init-groups", "--"] + arguments
    }
}
