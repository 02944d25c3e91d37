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

/// The lock that beanstalkd takes on its folder, `lock`: while this object lives, no beanstalkd runs on the folder, and
/// a beanstalkd that runs keeps this object from being made.
///
/// A lock of the open file rather than of the process: beanstalkd's own kind respects it, and no other file that
/// this process closes can undo it.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `BinlogError.inUse`, or that the file cannot be opened.
    public init(_ folder: BinlogFolder) throws {
        let path = folder.path + "/lock"
        let descriptor = folder.openLock()
        guard descriptor >= 0 else {
            // Where nothing can be written no beanstalkd can run.
            guard errno == EROFS else { throw BinlogError.system("open \(path)") }
            self.descriptor = -1
            return
        }
        var lock = wholeFile()
        guard fcntl(descriptor, setLock, &lock) == 0 else {
            let code = errno
            var holder = wholeFile()
            let isKnown = fcntl(descriptor, getLock, &holder) == 0 && holder.l_pid > 0
            close(descriptor)
            guard code == EAGAIN || code == EACCES else { throw BinlogError.system("lock \(path)", code) }
            throw BinlogError.inUse(folder: folder.path, pid: isKnown ? holder.l_pid : nil)
        }
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}

private func wholeFile() -> flock {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return lock
}
