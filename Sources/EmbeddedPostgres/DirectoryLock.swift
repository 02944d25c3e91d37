#if canImport(Darwin)
import Darwin

private let setLock: Int32 = 90
private let getLock: Int32 = 92
#else
import Glibc

// F_OFD_SETLK and F_OFD_GETLK, hidden from Swift, which reads the headers without _GNU_SOURCE.
private let setLock: Int32 = 37
private let getLock: Int32 = 36
#endif

/// The claim of one broker on a data directory. It ends with the object, and with the process however that ends.
///
/// beanstalkd locks the same file of its own folder, so neither starts on the other's. Its lock is one of the process;
/// this one is of the open file, which the former respects and which nothing else that the process closes can undo.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: DataDirectory) throws {
        // Close-on-exec: a postmaster that outlives its broker must not keep the claim.
        let descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw systemError("open \(directory.lock)") }
        var lock = Self.wholeFile
        guard fcntl(descriptor, setLock, &lock) == 0 else {
            let code = errno
            let holder = Self.holder(of: descriptor, directory.lock)
            close(descriptor)
            guard code == EAGAIN || code == EACCES else { throw systemError("lock \(directory.lock)", code) }
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
        // A program that another thread starts just now has a copy of the descriptor, until it is another program.
        var lock = Self.wholeFile
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, setLock, &lock)
        close(descriptor)
    }

    /// The system knows who holds a lock of a process, and only the file who holds one of ours.
    private static func holder(of descriptor: Int32, _ path: String) -> Int32? {
        var lock = wholeFile
        guard fcntl(descriptor, getLock, &lock) == 0, lock.l_pid >= 0 else {
            return readFile(path).split(separator: "\n").first.flatMap { Int32($0) }
        }
        return lock.l_pid > 0 ? lock.l_pid : nil
    }

    private static var wholeFile: flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }
}
