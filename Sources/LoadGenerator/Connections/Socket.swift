#if canImport(Darwin)
import Darwin
#else
// Needed for the type of times, which the compiler counts among this module's declarations.
import CLinux
import Glibc
#endif

/// A connected socket that does not block. It is closed with this object.
final class Socket {
    enum Outcome {
        case bytes(Int)
        case wouldBlock
        case closed(String)
    }

    let descriptor: Int32

    init(to address: Address) throws(LoadFailure) {
        descriptor = try Self.connect(address)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) -> Outcome {
        let count = recv(descriptor, bytes.baseAddress!, bytes.count, 0)
        guard count != 0 else { return .closed("the server closed a connection") }
        return outcome(count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        #if canImport(Darwin)
        outcome(send(descriptor, bytes.baseAddress!, bytes.count, 0))
        #else
        outcome(send(descriptor, bytes.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL)))
        #endif
    }

    private func outcome(_ count: Int) -> Outcome {
        if count >= 0 { return .bytes(count) }
        if errno == EAGAIN || errno == EINTR { return .wouldBlock }
        return .closed("a connection was lost: \(String(cString: strerror(errno)))")
    }

    private static func connect(_ address: Address) throws(LoadFailure) -> Int32 {
        switch address {
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            return try connect(AF_UNIX, &name, address)
        case .ip(let host, let port) where host.contains(":"):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &name.sin6_addr)
            return try connect(AF_INET6, &name, address)
        case .ip(let host, let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &name.sin_addr)
            return try connect(AF_INET, &name, address)
        }
    }

    private static func connect<Name>(
        _ family: Int32, _ name: inout Name, _ address: Address
    ) throws(LoadFailure) -> Int32 {
        #if canImport(Darwin)
        let descriptor = socket(family, SOCK_STREAM, 0)
        #else
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw failure("make a socket for", address) }
        var on: Int32 = 1
        if family != AF_UNIX {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        #if canImport(Darwin)
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
        // Without it an address that does not answer would hold up connect for minutes.
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                systemConnect(descriptor, pointer, socklen_t(MemoryLayout<Name>.size))
            }
        }
        guard result == 0 else {
            let failure = failure("connect to", address)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func failure(_ action: String, _ address: Address) -> LoadFailure {
        LoadFailure("cannot \(action) \(address): \(String(cString: strerror(errno)))")
    }
}

/// The system's `connect`, under a name that `Socket`'s own function does not hide.
private func systemConnect(_ descriptor: Int32, _ name: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, name, length)
}

/// Raises the limit of open files of this process as far as the system allows. Each connection is an open file.
func allowManyFiles() {
    var limit = rlimit()
    #if canImport(Darwin)
    let files = RLIMIT_NOFILE
    #else
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    getrlimit(files, &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(files, &limit)
}
