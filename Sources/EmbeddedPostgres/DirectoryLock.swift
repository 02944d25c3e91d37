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
        let (descriptor, isOwn) = try Self.open(directory)
        var lock = Self.wholeFile
        guard fcntl(descriptor, setLock, &lock) == 0 else {
            let code = errno
            let holder = Self.holder(of: descriptor)
            close(descriptor)
            guard code == EAGAIN || code == EACCES else { throw systemError("lock \(directory.lock)", code) }
            throw EmbeddedPostgresError.inUse(dataDirectory: directory.path, pid: holder)
        }
        self.descriptor = descriptor
        // Who it is helps a person only, so a failure to write it is none.
        guard isOwn else { return }
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, pid, pid.count, 0)
    }

    /// Opens the file as the account. One that a beanstalkd has left as root is opened by root, who only locks it.
    private static func open(_ directory: DataDirectory) throws -> (descriptor: Int32, isOwn: Bool) {
        // Close-on-exec: a postmaster that outlives its broker must not keep the claim.
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        var (descriptor, code) = try directory.asOwner {
            let descriptor = openat(directory.descriptor.number, "lock", flags | O_CREAT, 0o600)
            let code = errno
            // Whatever the umask.
            if descriptor >= 0 { _ = fchmod(descriptor, 0o600) }
            return (descriptor, code)
        }
        let isOwn = descriptor >= 0
        if !isOwn, code == EACCES {
            descriptor = openat(directory.descriptor.number, "lock", flags)
        }
        guard descriptor >= 0 else { throw systemError("open \(directory.lock)", code) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            isOwn || status.st_uid == 0 && status.st_nlink == 1
        else {
            close(descriptor)
            throw EmbeddedPostgresError.system(
                operation: "open \(directory.lock)", reason: "it is not a file of \(directory.account.name) alone")
        }
        return (descriptor, isOwn)
    }

    deinit {
        // A program that another thread starts just now has a copy of the descriptor, until it is another program.
        var lock = Self.wholeFile
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, setLock, &lock)
        close(descriptor)
    }

    /// The system knows who holds a lock of a process, and only the file who holds one of ours.
    private static func holder(of descriptor: Int32) -> Int32? {
        var lock = wholeFile
        guard fcntl(descriptor, getLock, &lock) == 0, lock.l_pid >= 0 else {
            var text = [UInt8](repeating: 0, count: 32)
            let count = pread(descriptor, &text, text.count, 0)
            return Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self))
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
