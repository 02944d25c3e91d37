import Files

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The directory of one private cluster. It holds:
///
///     cluster/       PostgreSQL's own data directory
///     socket         directory of the Unix socket, or a link to a short one under /tmp
///     postgres.log   the server's log
///     lock           locked by the broker that uses the directory, beanstalkd included
///     binlog.<N>     files of beanstalkd, which are never changed
struct DataDirectory: Sendable {
    /// The longest path of a Unix socket in bytes: `sun_path` without the final NUL.
    static let socketPathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Absolute, without symbolic links.
    let path: String
    let account: Account
    /// The open directory, even if it is renamed.
    let descriptor: Descriptor

    var cluster: String { path + "/cluster" }
    var socketLink: String { path + "/socket" }
    var log: String { path + "/postgres.log" }
    var lockFile: String { path + "/lock" }

    /// Makes the directory, or takes an existing one over, for the account that PostgreSQL is to run as.
    /// - Throws: `EmbeddedPostgresError.unsuitableDirectory`, `.unusableAccount`, `.unreachable` or `.system`.
    init(preparing givenPath: String, user: String?) throws {
        let walk = try PathWalk(to: givenPath)
        path = walk.path
        try Self.refuseSpecialCharacters(path)
        let owner = try Self.owner(at: walk)
        account = try Account.choose(user: user, owner: owner)
        if let owner, owner != 0 || geteuid() != 0, owner != account.uid {
            let name = Account(uid: owner)?.name ?? "user \(owner)"
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "it belongs to \(name), so run PostgreSQL as \(name) or choose another"
            )
        }
        try Self.checkReachable(walk.missing.isEmpty ? parent(of: path) : walk.found, by: account)
        descriptor = try walk.make(for: account)
    }

    /// Runs `body`, which uses files below the directory, with the rights of the account that they belong to.
    ///
    /// The account may have put anything there: a link, a pipe, a second name of another user's file. With its own
    /// rights only, the broker does nothing for the account that the account could not do itself.
    func asOwner<Value>(_ body: () throws -> Value) throws -> Value {
        try account.withFileRights(body)
    }

    private static func refuseSpecialCharacters(_ path: String) throws {
        // pg_ctl hands paths to a shell between double quotes, and does not escape them.
        guard !path.contains(where: { "\"\\$`\n".contains($0) }) else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "its path has a quote, backslash, dollar sign or line break, so choose one without"
            )
        }
    }

    /// The owner of an existing data directory; `nil` when there is none yet.
    /// - Throws: `unsuitableDirectory` when it holds other files: a mistyped path must not change their owner or mode.
    private static func owner(at walk: PathWalk) throws -> uid_t? {
        guard let (owner, names) = try walk.contents() else { return nil }
        // A folder of beanstalkd: its jobs are imported, and its files stay as they are.
        let hasBinlog = names.contains { $0.hasPrefix("binlog.") && Int($0.dropFirst("binlog.".count)) != nil }
        let isEmpty = names.allSatisfy { $0 == "lost+found" }
        guard names.contains("lock") || names.contains("cluster") || hasBinlog || isEmpty else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                walk.path,
                reason: "it holds other files, so choose an empty or a new one"
            )
        }
        // Root gives an empty directory to the account, so its owner does not matter.
        return names.contains("lock") || hasBinlog || geteuid() != 0 ? owner : nil
    }

    /// Checks that the account may pass through a directory. Only root needs this; other users get the error of
    /// `mkdir`.
    private static func checkReachable(_ directory: String, by account: Account) throws {
        func reachable(_ path: String) throws -> Bool {
            try Command(as: account, ["test", "-x", path]).run().status == 0
        }
        guard !account.isCurrent, try !reachable(directory) else { return }
        // The error names the first closed directory of the path.
        var closed = directory
        while closed != "/", try !reachable(parent(of: closed)) { closed = parent(of: closed) }
        throw EmbeddedPostgresError.unreachable(directory: closed, account: account.name)
    }

    /// Makes the directory of the Unix socket: in the data directory, or under /tmp if the socket's path would be too
    /// long. The link `socket` leads there for the next start and for `removeShortSocketDirectory`.
    /// - Returns: Its path.
    func makeSocketDirectory() throws -> String {
        try asOwner {
            let socket = socketLink + "/.s.PGSQL.\(Cluster.port)"
            // In libpq's `host` and in PostgreSQL's setting a comma separates directories.
            if socket.utf8.count <= Self.socketPathLimit, !socket.contains(",") {
                if let status = fileStatus(socketLink), !isDirectory(status) { unlink(socketLink) }
                try makeDirectory(socketLink, mode: 0o700)
                try makePrivate(socketLink)
                return socketLink
            }
            if let directory = shortSocketDirectory {
                // Every user can make names under /tmp, so it is used only if it is the account's and closed to others.
                if let status = fileStatus(directory), isDirectory(status), status.st_uid == account.uid,
                    status.st_mode & 0o777 == 0o700
                {
                    return directory
                }
                unlink(socketLink)
            }
            let directory = try makeOwnDirectory("/tmp/beanrow-")
            guard symlink(directory, socketLink) == 0 else {
                let error = systemError("make the link \(socketLink)")
                rmdir(directory)
                throw error
            }
            return directory
        }
    }

    /// Removes the directory under /tmp, if there is one. To be called when PostgreSQL has removed its socket.
    func removeShortSocketDirectory() throws {
        try asOwner {
            guard let directory = shortSocketDirectory else { return }
            rmdir(directory)
            unlink(socketLink)
        }
    }

    private var shortSocketDirectory: String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink(socketLink, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
