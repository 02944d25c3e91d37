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

    /// Absolute.
    let path: String
    let account: Account

    var cluster: String { path + "/cluster" }
    var socketLink: String { path + "/socket" }
    var log: String { path + "/postgres.log" }
    var lock: String { path + "/lock" }

    /// Makes the directory, or takes over the one that is there, for the account that PostgreSQL shall run as.
    init(preparing givenPath: String, user: String?) throws {
        path = try Self.absolute(givenPath)
        let owner = try Self.owner(of: path)
        account = try Account.choose(user: user, owner: owner)
        if let owner, owner != 0 || geteuid() != 0, owner != account.uid {
            let name = Account(uid: owner)?.name ?? "user \(owner)"
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "it belongs to \(name), so run PostgreSQL as \(name) or choose another"
            )
        }
        var missing: [String] = []
        var existing = path
        while fileStatus(existing) == nil, existing != "/" {
            missing.append(existing)
            existing = parent(of: existing)
        }
        try checkReachable(missing.isEmpty ? parent(of: path) : existing)
        for directory in missing.reversed() {
            // Made by root, the way must stay open to the account; made for oneself, it is nobody else's business.
            try makeDirectory(directory, mode: geteuid() == 0 && directory != path ? 0o755 : 0o700)
            try syncDirectory(parent(of: directory))
        }
        try makePrivate(path, owner: account)
    }

    private static func absolute(_ givenPath: String) throws -> String {
        var path = givenPath
        if !path.hasPrefix("/"), let current = getcwd(nil, 0) {
            path = String(cString: current) + "/" + path
            free(current)
        }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        // pg_ctl hands paths to a shell between double quotes, and does not escape them.
        guard !path.contains(where: { "\"\\$`\n".contains($0) }) else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "its path has a quote, backslash, dollar sign or line break, so choose one without"
            )
        }
        return path
    }

    /// The owner of an existing data directory, `nil` when there is none yet. Whatever else is there is left alone: a
    /// mistyped path must not take somebody's files from them.
    private static func owner(of path: String) throws -> uid_t? {
        guard let status = fileStatus(path) else { return nil }
        guard isDirectory(status) else {
            throw EmbeddedPostgresError.unsuitableDirectory(path, reason: "it is not a directory, so choose another")
        }
        let names = entries(of: path)
        // A folder of beanstalkd's: its jobs are imported, and its files stay as they are.
        let hasBinlog = names.contains { $0.hasPrefix("binlog.") && Int($0.dropFirst("binlog.".count)) != nil }
        let isEmpty = names.allSatisfy { $0 == "lost+found" }
        guard names.contains("lock") || names.contains("cluster") || hasBinlog || isEmpty else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                path,
                reason: "it holds other files, so choose an empty or a new one"
            )
        }
        // Not ours yet: root gives an empty directory away, whoever had it.
        return names.contains("lock") || hasBinlog || geteuid() != 0 ? status.st_uid : nil
    }

    /// Only root needs it: whoever runs PostgreSQL as themselves hears of a closed way from `mkdir`.
    private func checkReachable(_ directory: String) throws {
        func reachable(_ path: String) throws -> Bool {
            try Command(as: account, ["test", "-x", path]).run().status == 0
        }
        guard account != .current, try !reachable(directory) else { return }
        // The first closed directory on the way is the one to name.
        var closed = directory
        while closed != "/", try !reachable(parent(of: closed)) { closed = parent(of: closed) }
        throw EmbeddedPostgresError.unreachable(directory: closed, account: account.name)
    }

    /// The directory for the Unix socket: in the data directory, or, where that makes the socket's path too long,
    /// under /tmp behind a link, by which the next start and `removeShortSocketDirectory` find it.
    func makeSocketDirectory() throws -> String {
        let socket = socketLink + "/.s.PGSQL.\(Cluster.port)"
        // In libpq's `host` and in PostgreSQL's setting a comma separates one directory from the next.
        if socket.utf8.count <= Self.socketPathLimit, !socket.contains(",") {
            if let status = fileStatus(socketLink), !isDirectory(status) { unlink(socketLink) }
            try makeDirectory(socketLink, mode: 0o700)
            try makePrivate(socketLink, owner: account)
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
        guard let template = strdup("/tmp/beanrow-XXXXXX"), mkdtemp(template) != nil else {
            throw systemError("make a directory in /tmp")
        }
        defer { free(template) }
        let directory = String(cString: template)
        try makePrivate(directory, owner: account)
        guard symlink(directory, socketLink) == 0 else {
            let error = systemError("make the link \(socketLink)")
            rmdir(directory)
            throw error
        }
        return directory
    }

    /// Removes the directory under /tmp, if there is one: once PostgreSQL has removed its socket.
    func removeShortSocketDirectory() {
        guard let directory = shortSocketDirectory else { return }
        rmdir(directory)
        unlink(socketLink)
    }

    private var shortSocketDirectory: String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink(socketLink, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
