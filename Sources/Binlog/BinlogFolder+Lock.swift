public import Files

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

extension BinlogFolder {
    /// Locks the folder. No beanstalkd starts on it before the lock is released.
    ///
    /// - Returns: `nil` on a read-only file system, where no beanstalkd can run.
    /// - Throws: `BinlogError.inUse` when a beanstalkd or a beanrow has the folder, or that the file cannot be opened.
    public func takeLock() throws -> DirectoryLock? {
        let path = path + "/lock"
        let number = openLockFile()
        guard number >= 0 else {
            guard errno == EROFS else { throw BinlogError.system("open \(path)") }
            return nil
        }
        do {
            return try DirectoryLock(Descriptor(number))
        } catch {
            switch error {
            case .held(let pid): throw BinlogError.inUse(folder: self.path, pid: pid)
            case .system(let code): throw BinlogError.system("lock \(path)", code)
            }
        }
    }

    /// Opens the file that a broker locks. A missing one is made, and given to the owner of the folder.
    private func openLockFile() -> Int32 {
        let number = open("lock", O_RDWR | O_CREAT | O_EXCL)
        guard number >= 0 else { return errno == EEXIST ? open("lock", O_RDWR) : -1 }
        if geteuid() == 0, let owner { _ = fchown(number, owner, gid_t.max) }
        return number
    }
}
