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

    /// Lists the folder; one without log files is no error.
    /// - Throws: `BinlogError` when it cannot be read.
    public init(_ givenPath: String) throws {
        guard let resolved = realpath(givenPath, nil) else { throw BinlogError.system("open \(givenPath)") }
        defer { free(resolved) }
        path = String(cString: resolved)
        guard let stream = opendir(path) else { throw BinlogError.system("read the folder \(path)") }
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

    /// What tells the log files from all others, however they are named or copied: a hash of each one's first record,
    /// which holds a job's id and the nanosecond it was made in. Files without a record have none.
    public func signatures() throws -> [Int: Int64] {
        var signatures: [Int: Int64] = [:]
        for number in numbers {
            let reader = RecordReader(try FileReader(path(of: number), buffer: 4096), isNewest: true)
            _ = try reader.next()
            signatures[number] = reader.signature
        }
        return signatures
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
