#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The directory of one private cluster, and the places in it:
///
///     cluster/       PostgreSQL's own data directory
///     socket         directory of the Unix socket, or a link to a short one under /tmp
///     postgres.log   what the server has to say
///     lock           held by the broker that uses the directory, beanstalkd included
///     binlog.<N>     left by beanstalkd, never touched
struct DataDirectory: Sendable {
    /// Bytes of a Unix socket's path: `sun_path` without the final zero.
    static let socketPathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Absolute, without symbolic links.
    let path: String
    let account: Account
    /// The directory itself, whatever becomes of its name.
    let descriptor: Descriptor

    var cluster: String { path + "/cluster" }
    var socketLink: String { path + "/socket" }
    var log: String { path + "/postgres.log" }
    var lock: String { path + "/lock" }

    /// Makes the directory, or takes over the one that is there, for the account that PostgreSQL shall run as.
    init(preparing givenPath: String, user: String?) throws {
        let way = try Way(to: givenPath)
        path = way.path
        try Self.refuseSpecialCharacters(path)
        let owner = try Self.owner(at: way)
        account = try Account.choose(user: user, owner: owner)
        if let owner, owner != 0 || geteuid() != 0, owner != account.uid {
            let name = Account(uid: owner)?.name ?? "user \(owner)"
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "it belongs to \(name), so run PostgreSQL as \(name) or choose another"
            )
        }
        try Self.checkReachable(way.missing.isEmpty ? parent(of: path) : way.found, by: account)
        descriptor = try way.make(for: account)
    }

    /// Does something with files below the directory as the account that they belong to.
    ///
    /// It may have put anything there: a link, a pipe, another's file under a second name. What it may not do itself, no
    /// broker does for it.
    func asOwner<Value>(_ body: () throws -> Value) throws -> Value {
        try account.doing(body)
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

    /// The owner of an existing data directory, `nil` when there is none yet. Whatever else is there is left alone: a
    /// mistyped path must not take somebody's files from them.
    private static func owner(at way: Way) throws -> uid_t? {
        guard let (owner, names) = try way.look() else { return nil }
        // A folder of beanstalkd's: its jobs are imported, and its files stay as they are.
        let hasBinlog = names.contains { $0.hasPrefix("binlog.") && Int($0.dropFirst("binlog.".count)) != nil }
        let isEmpty = names.allSatisfy { $0 == "lost+found" }
        guard names.contains("lock") || names.contains("cluster") || hasBinlog || isEmpty else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                way.path,
                reason: "it holds other files, so choose an empty or a new one"
            )
        }
        // Not ours yet: root gives an empty directory away, whoever had it.
        return names.contains("lock") || hasBinlog || geteuid() != 0 ? owner : nil
    }

    /// Only root needs it: whoever runs PostgreSQL as themselves hears of a closed way from `mkdir`.
    private static func checkReachable(_ directory: String, by account: Account) throws {
        func reachable(_ path: String) throws -> Bool {
            try Command(as: account, ["test", "-x", path]).run().status == 0
        }
        guard !account.isCurrent, try !reachable(directory) else { return }
        // The first closed directory on the way is the one to name.
        var closed = directory
        while closed != "/", try !reachable(parent(of: closed)) { closed = parent(of: closed) }
        throw EmbeddedPostgresError.unreachable(directory: closed, account: account.name)
    }

    /// The directory for the Unix socket: in the data directory, or, where that makes the socket's path too long,
    /// under /tmp behind a link, by which the next start and `removeShortSocketDirectory` find it.
    func makeSocketDirectory() throws -> String {
        try asOwner {
            let socket = socketLink + "/.s.PGSQL.\(Cluster.port)"
            // In libpq's `host` and in PostgreSQL's setting a comma separates one directory from the next.
            if socket.utf8.count <= Self.socketPathLimit, !socket.contains(",") {
                if let status = fileStatus(socketLink), !isDirectory(status) { unlink(socketLink) }
                try makeDirectory(socketLink, mode: 0o700)
                try makePrivate(socketLink)
                return socketLink
            }
            if let directory = shortSocketDirectory {
                // Anybody can make names under /tmp, so it counts only while it is the account's and closed to others.
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

    /// Removes the directory under /tmp, if there is one: once PostgreSQL has removed its socket.
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
