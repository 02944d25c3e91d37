import Files

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

// The file operations of this module. They check no rights: below the data directory they run with those of the account
// that it belongs to (`Account.withFileRights`), which may have put anything there.

/// The failure of `operation`. Make it right after the call, before `errno` changes.
func systemError(_ operation: String, _ code: Int32 = errno) -> EmbeddedPostgresError {
    .system(operation: operation, reason: String(cString: strerror(code)))
}

/// The status of a file, links not followed; `nil` when it does not exist or cannot be reached.
func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}

func isDirectory(_ status: stat) -> Bool {
    status.st_mode & S_IFMT == S_IFDIR
}

/// The names in a directory, without `.` and `..`; empty when it cannot be read.
func entries(of directory: String) -> [String] {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    return descriptor < 0 ? [] : Descriptor(descriptor).entryNames() ?? []
}

/// Up to 64 KiB of a file from `offset` on; empty when it cannot be read. Does not wait for the writer of a pipe.
func readFile(_ path: String, from offset: Int = 0) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

/// Replaces the text of a file, or appends to it, and waits until it is on disk. Its mode becomes 0600.
func writeFile(_ path: String, _ text: String, appending: Bool = false) throws {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (appending ? O_APPEND : O_TRUNC)
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { throw systemError("write \(path)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw EmbeddedPostgresError.system(operation: "write \(path)", reason: "it is not a file")
    }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw systemError("write \(path)") }
        rest = rest.dropFirst(count)
    }
    guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else { throw systemError("write \(path)") }
}

/// Makes a directory with exactly this mode, whatever the umask. An existing one is left as it is.
func makeDirectory(_ path: String, mode: mode_t) throws {
    if mkdir(path, mode) != 0 {
        guard errno == EEXIST else { throw systemError("create the directory \(path)") }
    } else if chmod(path, mode) != 0 {
        throw systemError("set the mode of \(path)")
    }
}

/// Makes a directory of mode 0700 with a new name that begins with `prefix`.
/// - Returns: Its path.
func makeOwnDirectory(_ prefix: String) throws -> String {
    guard let template = strdup(prefix + "XXXXXX") else { throw systemError("make a directory \(prefix)...", ENOMEM) }
    defer { free(template) }
    guard mkdtemp(template) != nil else { throw systemError("make a directory in \(parent(of: prefix))") }
    let path = String(cString: template)
    // Whatever the umask.
    guard chmod(path, 0o700) == 0 else { throw systemError("make \(path) private") }
    return path
}

/// Sets the mode of a directory to 0700.
func makePrivate(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw systemError("open the directory \(path)") }
    defer { close(descriptor) }
    guard fchmod(descriptor, 0o700) == 0 else { throw systemError("make \(path) private") }
}

/// Makes the names in a directory durable. Otherwise a power failure could undo a rename.
func syncDirectory(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("open the directory \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemError("sync the directory \(path)") }
}

/// The directory of `path`, which is absolute.
func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}
