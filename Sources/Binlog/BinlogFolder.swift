#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A folder that beanstalkd wrote its log into (`-b DIR`): the files `binlog.<N>`. Nothing in it is ever changed.
public struct BinlogFolder: Sendable {
    /// Absolute, without symbolic links.
    public let path: String
    /// The numbers of the log files, ascending.
    public let numbers: [Int]
    /// The folder itself: its files are opened by name from here, whatever becomes of its own name.
    private let directory: Directory

    /// Lists the folder; one without log files is no error.
    /// - Throws: `BinlogError` when it cannot be read.
    public init(_ givenPath: String) throws {
        guard let resolved = realpath(givenPath, nil) else { throw BinlogError.system("open \(givenPath)") }
        defer { free(resolved) }
        let path = String(cString: resolved)
        let descriptor = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw BinlogError.system("read the folder \(path)") }
        try self.init(Directory(descriptor), path)
    }

    /// The same of a folder that is open already, and stays so.
    /// - Parameters:
    ///   - descriptor: The open folder.
    ///   - path: Where it was, absolute and without symbolic links: for people.
    /// - Throws: `BinlogError` when it cannot be read.
    public init(descriptor: Int32, path: String) throws {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw BinlogError.system("read the folder \(path)") }
        try self.init(Directory(copy), path)
    }

    private init(_ directory: Directory, _ path: String) throws {
        self.path = path
        self.directory = directory
        let readable = directory.open(".", O_RDONLY | O_DIRECTORY)
        guard readable >= 0, let stream = fdopendir(readable) else {
            throw BinlogError.system("read the folder \(path)")
        }
        defer { closedir(stream) }
        var numbers: [Int] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if let number = Self.number(ofFile: name) { numbers.append(number) }
        }
        self.numbers = numbers.sorted()
    }

    /// The number of a log file, from its name; `nil` for any other file.
    public static func number(ofFile name: String) -> Int? {
        let prefix = "binlog."
        guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)), number > 0 else { return nil }
        // beanstalkd opens binlog.7 and never binlog.07.
        return name == prefix + "\(number)" ? number : nil
    }

    func path(of number: Int) -> String { path + "/binlog.\(number)" }

    var owner: uid_t? {
        var status = stat()
        return fstat(directory.descriptor, &status) == 0 ? status.st_uid : nil
    }

    /// Opens a log file for reading; -1, and `errno`, when that cannot be done.
    func open(_ number: Int) -> Int32 { directory.open("binlog.\(number)", O_RDONLY) }

    /// Opens the file that a broker locks. If it is missing it is made, and belongs to whom the folder does.
    func openLock() -> Int32 {
        let descriptor = directory.open("lock", O_RDWR | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { return errno == EEXIST ? directory.open("lock", O_RDWR) : -1 }
        if geteuid() == 0, let owner { _ = fchown(descriptor, owner, gid_t.max) }
        return descriptor
    }

    /// What tells the log files from all others, however they are named or copied: a hash of each one's first record,
    /// which holds a job's id and the nanosecond it was made in. Files without a record have none.
    public func signatures() throws -> [Int: Int64] {
        var signatures: [Int: Int64] = [:]
        for number in numbers {
            let reader = RecordReader(try FileReader(self, number, buffer: 4096), isNewest: true)
            _ = try reader.next()
            signatures[number] = reader.signature
        }
        return signatures
    }
}

/// An open directory. Its owner may have put anything there, so nothing is waited for and no link followed.
private final class Directory: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func open(_ name: String, _ flags: Int32) -> Int32 {
        openat(descriptor, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    }
}

/// Why a folder could not be read at all.
public enum BinlogError: Error, Equatable, CustomStringConvertible {
    /// beanstalkd, or a beanrow, has the folder.
    case inUse(folder: String, pid: Int32?)
    case system(operation: String, reason: String)

    public var description: String {
        switch self {
        case .inUse(let folder, let pid):
            """
            A broker\(pid.map { " (pid \($0))" } ?? "") uses the folder \(folder): stop it first, so that what is \
            imported is all there is.
            """
        case .system(let operation, let reason): "Cannot \(operation): \(reason)."
        }
    }

    /// What `operation` failed with: to be made right after the call, while `errno` is still its own.
    static func system(_ operation: String, _ code: Int32 = errno) -> BinlogError {
        .system(operation: operation, reason: String(cString: strerror(code)))
    }
}
