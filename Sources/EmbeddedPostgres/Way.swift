#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// A file or directory that is open, and closed with this object.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit { close(number) }
}

/// The way to a directory that somebody has named, walked from the top, one name at a time, by open directories: what
/// is renamed meanwhile leads nobody elsewhere.
///
/// Symbolic links are followed here and only here: the name is the operator's word. But what root makes or gives away
/// must not lie where a link of somebody else leads.
struct Way {
    /// Absolute, without symbolic links.
    let path: String
    /// The deepest directory of it that is there.
    let found: String
    /// What is missing below that.
    let missing: [String]

    private let directory: Descriptor
    /// The first link on the way that belongs neither to root nor to this process.
    private let foreignLink: String?

    #if canImport(Darwin)
    private static let lookFlags = O_RDONLY | O_SYMLINK | O_CLOEXEC
    #else
    // Needs no right to read what it leads through.
    private static let lookFlags = beanrow_open_path_flag() | O_NOFOLLOW | O_CLOEXEC
    #endif
    /// As many as Linux follows.
    private static let linkLimit = 40

    init(to givenPath: String) throws {
        var pending: [String] = givenPath.split(separator: "/").map(String.init).reversed()
        if !givenPath.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { throw systemError("tell the current directory") }
            pending += String(cString: current).split(separator: "/").map(String.init).reversed()
            free(current)
        }
        var names: [String] = []
        var directory = try Self.top()
        var missing: [String] = []
        var foreignLink: String?
        var links = 0
        while let name = pending.popLast() {
            let place = "/" + (names + [name]).joined(separator: "/")
            let next = openat(directory.number, name, Self.lookFlags)
            if next < 0, errno == ENOENT {
                missing = ([name] + pending.reversed()).filter { $0 != "." }
                guard !missing.contains("..") else { throw systemError("open the directory \(place)", ENOENT) }
                break
            }
            guard next >= 0 else { throw systemError("open the directory \(place)") }
            let opened = Descriptor(next)
            var status = stat()
            guard fstat(next, &status) == 0 else { throw systemError("open the directory \(place)") }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                directory = opened
                if name == ".." { _ = names.popLast() } else if name != "." { names.append(name) }
            case S_IFLNK:
                links += 1
                guard links <= Self.linkLimit else { throw systemError("open the directory \(place)", ELOOP) }
                if status.st_uid != 0, status.st_uid != geteuid() { foreignLink = foreignLink ?? place }
                let target = try Self.target(of: opened, place)
                if target.hasPrefix("/") { (names, directory) = ([], try Self.top()) }
                pending += target.split(separator: "/").map(String.init).reversed()
            default:
                throw EmbeddedPostgresError.unsuitableDirectory(
                    place, reason: "it is not a directory, so choose another")
            }
        }
        found = "/" + names.joined(separator: "/")
        path = "/" + (names + missing).joined(separator: "/")
        self.missing = missing
        self.directory = directory
        self.foreignLink = foreignLink
    }

    private static func top() throws -> Descriptor {
        let descriptor = openat(AT_FDCWD, "/", lookFlags | O_DIRECTORY)
        guard descriptor >= 0 else { throw systemError("open the directory /") }
        return Descriptor(descriptor)
    }

    private static func target(of link: Descriptor, _ place: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlinkat(link.number, "", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count >= 0 else { throw systemError("read the link \(place)") }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Who has the directory, and what is in it. `nil` when it is not there yet.
    func look() throws -> (owner: uid_t, names: [String])? {
        guard missing.isEmpty else { return nil }
        let readable = try Self.readable(directory, path)
        var status = stat()
        guard fstat(readable.number, &status) == 0 else { throw systemError("open the directory \(path)") }
        // The stream takes the descriptor over, and the other one closes itself.
        guard let stream = fdopendir(fcntl(readable.number, F_DUPFD_CLOEXEC, 0)) else {
            throw systemError("read the directory \(path)")
        }
        return (status.st_uid, entries(of: stream))
    }

    /// Makes what is missing, and gives the directory at the end to `account` alone: mode 0700.
    func make(for account: Account) throws -> Descriptor {
        var directory = directory
        var place = found
        for (index, name) in missing.enumerated() {
            try refuseForeignLink()
            let isLast = index == missing.count - 1
            place += (place == "/" ? "" : "/") + name
            // Made by root, the way must stay open to the account; made for oneself, it is nobody else's business.
            directory = try Self.make(
                name, in: directory, mode: geteuid() == 0 && !isLast ? 0o755 : 0o700, for: account, place)
        }
        let end = try Self.readable(directory, path)
        var status = stat()
        guard fstat(end.number, &status) == 0 else { throw systemError("open the directory \(path)") }
        if status.st_uid != account.uid {
            try refuseForeignLink()
            guard fchown(end.number, account.uid, account.gid) == 0 else {
                throw systemError("give \(path) to \(account.name)")
            }
        }
        guard fchmod(end.number, 0o700) == 0 else { throw systemError("make \(path) private to \(account.name)") }
        return end
    }

    /// Makes one directory with exactly this mode, whatever the umask.
    private static func make(
        _ name: String, in parent: Descriptor, mode: mode_t, for account: Account, _ place: String
    ) throws -> Descriptor {
        let isNew = mkdirat(parent.number, name, mode) == 0
        guard isNew || errno == EEXIST else { throw systemError("create the directory \(place)") }
        // The umask may have closed it even to its owner. Root can open it all the same, and follows no name here.
        if isNew, geteuid() != 0 { _ = fchmodat(parent.number, name, mode, 0) }
        let descriptor = openat(parent.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("open the directory \(place)") }
        let made = Descriptor(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, [geteuid(), account.uid].contains(status.st_uid) else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                place, reason: "somebody else has just made it, so choose another")
        }
        if isNew {
            guard fchmod(descriptor, mode) == 0 else { throw systemError("set the mode of \(place)") }
            // Durable, unless its parent may not even be opened.
            if let parent = try? readable(parent, place) { fsync(parent.number) }
        }
        return made
    }

    /// For reading, what so far was only a place.
    private static func readable(_ directory: Descriptor, _ place: String) throws -> Descriptor {
        let descriptor = openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("open the directory \(place)") }
        return Descriptor(descriptor)
    }

    private func refuseForeignLink() throws {
        guard let foreignLink, geteuid() == 0 else { return }
        let owner = fileStatus(foreignLink).flatMap { Account(uid: $0.st_uid)?.name } ?? "another user"
        throw EmbeddedPostgresError.unsuitableDirectory(
            path,
            reason: """
                root would make it, or give it away, where a link of \(owner) leads (\(foreignLink)), so name the \
                directory itself
                """)
    }
}
