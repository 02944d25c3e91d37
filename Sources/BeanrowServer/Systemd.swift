#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The parts of systemd's service protocol that a broker uses, without systemd's library.
public enum Systemd {
    /// The first socket that systemd has opened for this process (`LISTEN_PID`, `LISTEN_FDS`), as in beanstalkd; `nil`
    /// if there is none.
    static func inheritedSocket() -> Int32? {
        guard environment("LISTEN_PID") == "\(getpid())", let count = environment("LISTEN_FDS").flatMap({ Int($0) }),
            count > 0
        else { return nil }
        let first: Int32 = 3
        // The programs that this process starts, PostgreSQL among them, must not inherit it.
        _ = fcntl(first, F_SETFD, FD_CLOEXEC)
        return first
    }

    /// Tells systemd the state of the service, such as `READY=1` (`NOTIFY_SOCKET`). Without systemd it does nothing.
    static func notify(_ state: String) {
        guard let path = environment("NOTIFY_SOCKET"), !path.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // An @ at the beginning stands for the NUL of the abstract namespace.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, state, state.utf8.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
