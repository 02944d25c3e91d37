#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// An open file or directory, closed with this object.
public final class Descriptor: Sendable {
    /// The number of the descriptor. Do not close it.
    public let number: Int32

    /// Takes the descriptor over.
    public init(_ number: Int32) {
        self.number = number
    }

    deinit { close(number) }

    /// The names in this directory, without `.` and `..`, in no order.
    ///
    /// - Returns: `nil`, and `errno` is set, when the directory cannot be read.
    public func entryNames() -> [String]? {
        // A second opening has a position of its own, so two calls do not disturb each other.
        let readable = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard readable >= 0, let stream = fdopendir(readable) else { return nil }
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
}
