#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// The system account that PostgreSQL runs as. PostgreSQL refuses to run as root, so a broker that is root chooses
/// another account for it (docs/ARCHITECTURE.md, Root).
struct Account: Equatable, Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t
    /// The supplementary groups; known only for an account that root has chosen.
    private(set) var groups: [gid_t] = []

    /// The account of this process. The group is the one that the process was started with, which need not be the
    /// account's own (`sg`, systemd's `Group=`). In a container the number may have no name.
    static var current: Account {
        Account(name: Account(uid: geteuid())?.name ?? "user \(geteuid())", uid: geteuid(), gid: getegid())
    }

    /// Whether this process runs as the account.
    var isCurrent: Bool { uid == geteuid() }

    /// Chooses the account. Root: `user` if given, else the owner of the existing cluster, else `postgres` or `nobody`.
    /// Any other user: themselves.
    /// - Throws: `EmbeddedPostgresError.unusableAccount`.
    static func choose(user: String?, owner: uid_t?) throws -> Account {
        let named = try user.map { name in
            guard let account = Account(name: name) else {
                throw EmbeddedPostgresError.unusableAccount(name, reason: "there is no such account, so name another")
            }
            return account
        }
        guard geteuid() == 0 else {
            if let named, !named.isCurrent {
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
        if let named { return named.withGroups() }
        if let owner, owner != 0, let account = Account(uid: owner) { return account.withGroups() }
        guard let account = Account(name: "postgres") ?? Account(name: "nobody") else {
            throw EmbeddedPostgresError.unusableAccount(
                "root",
                reason: "it refuses to, and there is no account postgres or nobody, so name another"
            )
        }
        return account.withGroups()
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

    /// The arguments that run a program as this account. `setpriv` gives up root and its groups for good and then
    /// becomes the program. (`posix_spawn` cannot change the user, and Swift code may not run between fork and exec.)
    func running(_ arguments: [String]) -> [String] {
        guard !isCurrent else { return arguments }
        return ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--init-groups", "--"] + arguments
    }
}

// MARK: Files

extension Account {
    /// Runs `body` with the account's rights over files, on this thread only (docs/ARCHITECTURE.md, Root). The kernel
    /// then allows what the account may do, and no more, wherever a link of the account leads. `body` must not start
    /// programs.
    /// - Throws: `EmbeddedPostgresError.unusableAccount` when the system does not permit it, and what `body` throws.
    func withFileRights<Value>(_ body: () throws -> Value) throws -> Value {
        guard !isCurrent else { return try body() }
        #if os(Linux)
        let own = Self.groupsOfThisThread()
        guard beanrow_set_file_identity(uid, gid, groups.count, groups) == 0 else {
            let error = EmbeddedPostgresError.unusableAccount(
                name,
                reason: """
                    its files cannot be worked on as \(name) (\(String(cString: strerror(errno)))), so start the broker \
                    as \(name)
                    """)
            _ = beanrow_set_file_identity(geteuid(), getegid(), own.count, own)
            throw error
        }
        defer {
            // It may: the user of the thread is still root.
            let isBack = beanrow_set_file_identity(geteuid(), getegid(), own.count, own) == 0
            precondition(isBack, "cannot work on files as root any more")
        }
        return try body()
        #else
        throw EmbeddedPostgresError.unusableAccount(
            name, reason: "root can lend it an account on Linux only, so start the broker as \(name)")
        #endif
    }

    private static func groupsOfThisThread() -> [gid_t] {
        var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        let count = getgroups(Int32(groups.count), &groups)
        return Array(groups.prefix(max(0, Int(count))))
    }

    private func withGroups() -> Account {
        var account = self
        var groups = [gid_t](repeating: 0, count: 64)
        var count = Int32(groups.count)
        if getgrouplist(name, gid, &groups, &count) < 0 {
            // The account is in more groups; `count` is now their number.
            groups = [gid_t](repeating: 0, count: Int(count))
            guard getgrouplist(name, gid, &groups, &count) >= 0 else { return account }
        }
        account.groups = Array(groups.prefix(Int(count)))
        return account
    }
}
