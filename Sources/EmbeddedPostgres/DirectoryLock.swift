#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The claim of one broker on a data directory. It ends with the object, and with the process however that ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: DataDirectory) throws {
        // Close-on-exec: a postmaster that outlives its broker must not keep the claim.
        let descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw systemError("open \(directory.lock)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw systemError("lock \(directory.lock)", code) }
            let holder = readFile(directory.lock).split(separator: "\n").first.flatMap { Int32($0) }
            throw EmbeddedPostgresError.inUse(dataDirectory: directory.path, pid: holder)
        }
        self.descriptor = descriptor
        // Who it is helps a person only, so a failure to write it is none.
        let pid = Array("\(getpid())\n".utf8)
        _ = fchown(descriptor, directory.account.uid, directory.account.gid)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, pid, pid.count, 0)
    }

    deinit {
        close(descriptor)
    }
}
