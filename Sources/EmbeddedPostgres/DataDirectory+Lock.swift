import Files

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

extension DataDirectory {
    /// Locks the directory for this broker. beanstalkd locks the same file of its own folder, so neither starts on the
    /// other's.
    ///
    /// - Throws: `EmbeddedPostgresError.inUse` when another broker has it.
    func takeLock() throws -> DirectoryLock {
        let (file, isOwn) = try openLockFile()
        let lock: DirectoryLock
        do {
            lock = try DirectoryLock(file)
        } catch {
            switch error {
            case .held(let pid): throw EmbeddedPostgresError.inUse(dataDirectory: path, pid: pid)
            case .system(let code): throw systemError("lock \(lockFile)", code)
            }
        }
        if isOwn { lock.writeProcessID() }
        return lock
    }

    /// Opens the file as the account. Root opens a file that beanstalkd has left as root, and only locks it.
    private func openLockFile() throws -> (file: Descriptor, isOwn: Bool) {
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        var (number, code) = try asOwner {
            let number = openat(descriptor.number, "lock", flags | O_CREAT, 0o600)
            let code = errno
            // Whatever the umask.
            if number >= 0 { _ = fchmod(number, 0o600) }
            return (number, code)
        }
        let isOwn = number >= 0
        if !isOwn, code == EACCES {
            number = openat(descriptor.number, "lock", flags)
        }
        guard number >= 0 else { throw systemError("open \(lockFile)", code) }
        let file = Descriptor(number)
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            isOwn || status.st_uid == 0 && status.st_nlink == 1
        else {
            throw EmbeddedPostgresError.system(
                operation: "open \(lockFile)", reason: "it is not a file of \(account.name) alone")
        }
        return (file, isOwn)
    }
}
