#if canImport(Darwin)
import Darwin

private let setLock: Int32 = 90
private let getLock: Int32 = 92
#else
import Glibc

// F_OFD_SETLK and F_OFD_GETLK: Swift reads the headers without _GNU_SOURCE, which hides these names.
private let setLock: Int32 = 37
private let getLock: Int32 = 36
#endif

/// The lock of one broker on its directory: a write lock on the file `lock` in it, which beanstalkd takes as well.
///
/// The lock belongs to the open file, not to the process. It conflicts with beanstalkd's lock, which belongs to the
/// process, and closing another descriptor of the same file does not release it. It ends with this object, and with
/// the process however that ends.
public final class DirectoryLock: Sendable {
    private let file: Descriptor

    /// Locks an open file. Does not wait.
    ///
    /// - Parameter file: The file `lock`, open for reading and writing, and close-on-exec: a PostgreSQL that outlives
    ///   its broker must not keep the lock.
    /// - Throws: `DirectoryLockError`.
    public init(_ file: Descriptor) throws(DirectoryLockError) {
        var lock = Self.wholeFile
        guard fcntl(file.number, setLock, &lock) == 0 else {
            let code = errno
            guard code == EAGAIN || code == EACCES else { throw .system(code: code) }
            throw .held(pid: Self.holder(of: file))
        }
        self.file = file
    }

    deinit {
        // Closing is not enough: a program that another thread is starting has a copy of the descriptor until its exec.
        var lock = Self.wholeFile
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(file.number, setLock, &lock)
    }

    /// Writes the id of this process into the file, for the message that a refused broker prints. A failure is ignored.
    public func writeProcessID() {
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(file.number, 0)
        _ = pwrite(file.number, pid, pid.count, 0)
    }

    /// The system knows the holder of a process's lock. The holder of an open file's lock has written its id.
    private static func holder(of file: Descriptor) -> Int32? {
        var lock = wholeFile
        guard fcntl(file.number, getLock, &lock) == 0, lock.l_pid >= 0 else {
            var text = [UInt8](repeating: 0, count: 32)
            let count = pread(file.number, &text, text.count, 0)
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

/// Why a directory could not be locked.
public enum DirectoryLockError: Error, Equatable {
    /// Another broker holds the lock; `pid` is its process id, if it is known.
    case held(pid: Int32?)
    /// The system refused the call with this `errno`.
    case system(code: Int32)
}
