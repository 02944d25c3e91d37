import Files

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A folder that beanstalkd wrote its log into (`-b DIR`): the files `binlog.<N>`. They are never changed.
public struct BinlogFolder: Sendable {
    /// Absolute, without symbolic links.
    public let path: String
    /// The numbers of the log files, ascending.
    public let numbers: [Int]
    /// Files are opened by name from here, so that renaming the folder makes no difference.
    private let directory: Descriptor

    /// Lists the folder. A folder without log files is no error.
    /// - Throws: `BinlogError` when it cannot be read.
    public init(_ givenPath: String) throws {
        guard let resolved = realpath(givenPath, nil) else { throw BinlogError.system("open \(givenPath)") }
        defer { free(resolved) }
        let path = String(cString: resolved)
        let descriptor = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw BinlogError.system("read the folder \(path)") }
        try self.init(Descriptor(descriptor), path)
    }

    /// Lists a folder that is open already.
    /// - Parameters:
    ///   - descriptor: The open folder. It stays open and remains the caller's.
    ///   - path: Its absolute path without symbolic links, for messages.
    /// - Throws: `BinlogError` when it cannot be read.
    public init(descriptor: Int32, path: String) throws {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw BinlogError.system("read the folder \(path)") }
        try self.init(Descriptor(copy), path)
    }

    private init(_ directory: Descriptor, _ path: String) throws {
        self.path = path
        self.directory = directory
        guard let names = directory.entryNames() else { throw BinlogError.system("read the folder \(path)") }
        numbers = names.compactMap(Self.number(ofFile:)).sorted()
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
        return fstat(directory.number, &status) == 0 ? status.st_uid : nil
    }

    /// Opens a log file for reading.
    /// - Returns: The descriptor, or -1 with `errno`.
    func open(_ number: Int) -> Int32 { open("binlog.\(number)", O_RDONLY) }

    /// Opens a file of the folder. Its owner may have put anything there, so this neither waits nor follows a link.
    func open(_ name: String, _ flags: Int32) -> Int32 {
        openat(directory.number, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    }

    /// Identifies each log file, however it is named or copied: a hash of its first record, which holds a job's id and
    /// its time of creation in nanoseconds. Files without a record have none.
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

/// Why a folder could not be read at all.
public enum BinlogError: Error, Equatable, CustomStringConvertible {
    /// A beanstalkd or a beanrow holds the folder's lock.
    case inUse(folder: String, pid: Int32?)
    /// The system refused the operation.
    case system(operation: String, reason: String)

    public var description: String {
        switch self {
        case .inUse(let folder, let pid):
            """
            A broker\(pid.map { " (pid \($0))" } ?? "") uses the folder \(folder): stop it first, so that the \
            import is complete.
            """
        case .system(let operation, let reason): "Cannot \(operation): \(reason)."
        }
    }

    /// The failure of `operation`. Make it right after the call, before `errno` changes.
    static func system(_ operation: String, _ code: Int32 = errno) -> BinlogError {
        .system(operation: operation, reason: String(cString: strerror(code)))
    }
}
