#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

// The few file operations this module needs. What they may do is for the kernel to say: below the data directory they
// are done as the account that it belongs to (`Account.doing`), who may have put anything there.

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
    opendir(directory).map(entries(of:)) ?? []
}

/// The same of a directory that is open for reading, and is closed here.
func entries(of stream: OpaquePointer) -> [String] {
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

/// Up to 64 KiB of a file, from a byte on; empty when it cannot be read. Never waits for a writer, as a pipe would.
func readFile(_ path: String, from offset: Int = 0) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

/// Writes `text` over the file, or at its end, for its owner alone whatever the umask, and waits until the disk has it.
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

/// Makes one directory with exactly this mode, whatever the umask; an existing one is left as it is.
func makeDirectory(_ path: String, mode: mode_t) throws {
    if mkdir(path, mode) != 0 {
        guard errno == EEXIST else { throw systemError("create the directory \(path)") }
    } else if chmod(path, mode) != 0 {
        throw systemError("set the mode of \(path)")
    }
}

/// Makes a directory with a name of its own that begins with `prefix`, for its owner alone.
func makeOwnDirectory(_ prefix: String) throws -> String {
    guard let template = strdup(prefix + "XXXXXX") else { throw systemError("make a directory \(prefix)...", ENOMEM) }
    defer { free(template) }
    guard mkdtemp(template) != nil else { throw systemError("make a directory in \(parent(of: prefix))") }
    let path = String(cString: template)
    // Whatever the umask.
    guard chmod(path, 0o700) == 0 else { throw systemError("make \(path) private") }
    return path
}

/// Closes a directory to others: mode 0700.
func makePrivate(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw systemError("open the directory \(path)") }
    defer { close(descriptor) }
    guard fchmod(descriptor, 0o700) == 0 else { throw systemError("make \(path) private") }
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
