import Dispatch
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import CLinux
import Glibc
#endif

/// Checks passwords against their hashes, one at a time: a guess costs what the hash was made to cost. A password that was
/// right is known again by a keyed hash, since browsers send it with each request.
final class Passwords: Sendable {
    private let users: [String: String]
    private let queue = DispatchQueue(label: "beanrow-passwords")
    private let known = Mutex<Set<Int>>([])

    init(_ users: [String: String]) {
        self.users = users
    }

    func isRight(_ password: String, of name: String) async -> Bool {
        // A name that nobody has takes as long.
        let hash = users[name] ?? users.values.first ?? "$6$none$"
        // The key of the hasher is random for each process.
        var hasher = Hasher()
        hasher.combine(name)
        hasher.combine(password)
        hasher.combine(hash)
        let digest = hasher.finalize()
        if known.withLock({ $0.contains(digest) }) { return true }
        let isRight = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Passwords.matches(password, hash)) }
        }
        guard isRight, users[name] != nil else { return false }
        known.withLock { known in
            if known.count > 1000 { known.removeAll() }
            known.insert(digest)
        }
        return true
    }

    /// Whether a password has this hash of crypt(3).
    static func matches(_ password: String, _ hash: String) -> Bool {
        guard password.utf8.count <= 512, !password.utf8.contains(0) else { return false }
        #if canImport(Darwin)
        guard let made = crypt(password, hash) else { return false }
        return Guard.areEqual(String(cString: made), hash)
        #else
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer { data.deallocate() }
        memset(data, 0, MemoryLayout<crypt_data>.size)
        guard let made = crypt_r(password, hash, data) else { return false }
        return Guard.areEqual(String(cString: made), hash)
        #endif
    }
}
