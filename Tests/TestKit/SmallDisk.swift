import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A file system in memory that is small enough to be filled. Only root on Linux can make one.
public final class SmallDisk: Sendable {
    /// Where it is mounted.
    public let path: String
    private var filler: String { "\(path)/filler" }

    /// Mounts it until the end of the test process.
    ///
    /// - Parameter megabytes: Its size.
    /// - Throws: `WireMismatch` where nothing may be mounted.
    public init(megabytes: Int) throws {
        path = TestRun.shared.path("disk")
        // The user `postgres` needs access.
        mkdir(path, 0o755)
        let options = ["-t", "tmpfs", "-o", "size=\(megabytes)m,mode=755", "tmpfs", path]
        _ = try ChildProcess.run(ChildProcess.find("mount", orIn: ["/bin"]), options)
    }

    /// Fills the space that is left.
    public func fill() {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { systemClose(descriptor) }
        let block = [UInt8](repeating: 0, count: 1 << 16)
        var size = block.count
        while size > 0 {
            if write(descriptor, block, size) < size { size /= 2 }
        }
    }

    /// Frees that space.
    public func free() {
        unlink(filler)
    }
}
