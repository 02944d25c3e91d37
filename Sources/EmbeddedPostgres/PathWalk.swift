import Files

#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// A walk to the directory that the operator has named, from the root directory on, one name at a time by open
/// directories. Renaming a directory meanwhile leads the walk nowhere else.
///
/// Symbolic links are followed here and nowhere else, since the operator has written the path. But root makes nothing,
/// and gives nothing away, where a link of another user leads (docs/ARCHITECTURE.md, Root).
struct PathWalk {
    /// Absolute, without symbolic links.
    let path: String
    /// The deepest directory of the path that exists.
    let found: String
    /// The names below `found`, which do not exist.
    let missing: [String]

    private let directory: Descriptor
    /// The first link in the path that belongs neither to root nor to the user of this process.
    private let foreignLink: String?

    #if canImport(Darwin)
    private static let lookFlags = O_RDONLY | O_SYMLINK | O_CLOEXEC
    #else
    // Needs no right to read the directories.
    private static let lookFlags = beanrow_open_path_flag() | O_NOFOLLOW | O_CLOEXEC
    #endif
    /// The same limit as in Linux.
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

    /// The owner of the directory and the names in it; `nil` when it does not exist.
    func contents() throws -> (owner: uid_t, names: [String])? {
        guard missing.isEmpty else { return nil }
        let readable = try Self.readable(directory, path)
        var status = stat()
        guard fstat(readable.number, &status) == 0 else { throw systemError("open the directory \(path)") }
        guard let names = readable.entryNames() else { throw systemError("read the directory \(path)") }
        return (status.st_uid, names)
    }

    /// Makes the missing directories, and gives the last one to `account`, with mode 0700.
    func make(for account: Account) throws -> Descriptor {
        var directory = directory
        var place = found
        for (index, name) in missing.enumerated() {
            try refuseForeignLink()
            let isLast = index == missing.count - 1
            place += (place == "/" ? "" : "/") + name
            // The account must be able to pass through the directories that root makes.
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

    /// Makes a directory with exactly this mode, whatever the umask.
    private static func make(
        _ name: String, in parent: Descriptor, mode: mode_t, for account: Account, _ place: String
    ) throws -> Descriptor {
        let isNew = mkdirat(parent.number, name, mode) == 0
        guard isNew || errno == EEXIST else { throw systemError("create the directory \(place)") }
        // The umask may have closed it even to its owner. Root can open it anyway, so root changes no mode by name.
        if isNew, geteuid() != 0 { _ = fchmodat(parent.number, name, mode, 0) }
        let descriptor = openat(parent.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("open the directory \(place)") }
        let made = Descriptor(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, [geteuid(), account.uid].contains(status.st_uid) else {
            throw EmbeddedPostgresError.unsuitableDirectory(
                place, reason: "another user has just made it, so choose another")
        }
        if isNew {
            guard fchmod(descriptor, mode) == 0 else { throw systemError("set the mode of \(place)") }
            // Makes the name durable, unless the parent cannot be opened.
            if let parent = try? readable(parent, place) { fsync(parent.number) }
        }
        return made
    }

    /// Opens for reading a directory that was opened only as a place in the file system.
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
