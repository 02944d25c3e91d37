#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

// The few file operations this module needs. The data directory belongs to an unprivileged account while the broker
// may be root, so nothing here follows a symbolic link that the account could have planted.

/// What `operation` failed with: to be made right after the call, while `errno` is still its own.
func systemError(_ operation: String, _ code: Int32 = errno) -> EmbeddedPostgresError {
    .system(operation: operation, reason: String(cString: strerror(code)))
}

/// The status of the file itself, links not followed; `nil` when there is none or it is out of reach.
func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}

func isDirectory(_ status: stat) -> Bool {
    status.st_mode & S_IFMT == S_IFDIR
}

/// The names in a directory, `.` and `..` left out; empty when it cannot be read.
func entries(of directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// Up to 64 KiB of a file, from a byte on; empty when it cannot be read.
func readFile(_ path: String, from offset: Int = 0) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

/// Writes `text` over the file, or at its end, for `owner` alone, and waits until the disk has it.
func writeFile(_ path: String, _ text: String, appending: Bool = false, owner: Account) throws {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (appending ? O_APPEND : O_TRUNC)
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { throw systemError("write \(path)") }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard fchown(descriptor, owner.uid, owner.gid) == 0,
        write(descriptor, bytes, bytes.count) == bytes.count,
        fsync(descriptor) == 0
    else { throw systemError("write \(path)") }
}

/// Makes one directory with exactly this mode, whatever the umask; an existing one is left as it is.
func makeDirectory(_ path: String, mode: mode_t) throws {
    if mkdir(path, mode) != 0 {
        guard errno == EEXIST else { throw systemError("create the directory \(path)") }
    } else if chmod(path, mode) != 0 {
        throw systemError("set the mode of \(path)")
    }
}

/// Gives a directory to `owner` alone: mode 0700.
func makePrivate(_ path: String, owner: Account) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw systemError("open the directory \(path)") }
    defer { close(descriptor) }
    var status = stat()
    // An owner may not be a member of the folder's group, and then not even set it to what it is.
    let isOwned = fstat(descriptor, &status) == 0 && status.st_uid == owner.uid
    guard isOwned || fchown(descriptor, owner.uid, owner.gid) == 0, fchmod(descriptor, 0o700) == 0 else {
        throw systemError("make \(path) private to \(owner.name)")
    }
}

/// Makes the names in a directory durable: without it a power cut could undo a rename that was reported done.
func syncDirectory(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("open the directory \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemError("sync the directory \(path)") }
}

/// The directory that holds `path`, which is absolute.
func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
