import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Where a server listens.
public enum ServerAddress: Sendable, Equatable {
    /// A port of 127.0.0.1.
    case tcp(port: UInt16)
    case unix(path: String)

    /// A connected socket that does not block and that no child process inherits.
    func connect() throws -> Int32 {
        let descriptor = try makeSocket(isUnix ? AF_UNIX : AF_INET)
        let result = withSocketAddress { address, length in
            systemConnect(descriptor, address, length)
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            systemClose(descriptor)
            throw WireMismatch("cannot connect to \(self): \(reason)")
        }
        if !isUnix {
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        makeNonblocking(descriptor)
        return descriptor
    }

    /// A TCP port that was free a moment ago, for a server that cannot pick one itself.
    static func freePort() throws -> UInt16 {
        try HeldPort().number
    }

    /// A TCP port that the system gives to nobody else while this object exists, even while its server is down.
    ///
    /// A socket is bound to it and does not listen. On Linux a server that sets SO_REUSEADDR, as PostgreSQL and PgBouncer
    /// do, can still listen there. On other systems the port is not held.
    final class HeldPort: Sendable {
        let number: UInt16
        private let descriptor: Int32

        init() throws {
            let bound = try makeSocket(AF_INET)
            do {
                allowReuse(of: bound)
                guard ServerAddress.tcp(port: 0).withSocketAddress({ systemBind(bound, $0, $1) }) == 0 else {
                    throw WireMismatch("no free port: \(String(cString: strerror(errno)))")
                }
                number = try ServerAddress.boundPort(of: bound)
            } catch {
                systemClose(bound)
                throw error
            }
            #if canImport(Glibc)
            descriptor = bound
            #else
            systemClose(bound)
            descriptor = -1
            #endif
        }

        deinit {
            if descriptor >= 0 { systemClose(descriptor) }
        }
    }

    private static func boundPort(of descriptor: Int32) throws -> UInt16 {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var name = sockaddr_in()
        let named = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard named == 0 else {
            throw WireMismatch("no port: \(String(cString: strerror(errno)))")
        }
        return UInt16(bigEndian: name.sin_port)
    }

    /// A socket that listens here and does not block, and where that is: port 0 becomes a real one.
    func listen() throws -> (descriptor: Int32, address: ServerAddress) {
        if case .unix(let path) = self { unlink(path) }
        let descriptor = try makeSocket(isUnix ? AF_UNIX : AF_INET)
        allowReuse(of: descriptor)
        guard withSocketAddress({ systemBind(descriptor, $0, $1) }) == 0, systemListen(descriptor, 512) == 0 else {
            let reason = String(cString: strerror(errno))
            systemClose(descriptor)
            throw WireMismatch("cannot listen on \(self): \(reason)")
        }
        makeNonblocking(descriptor)
        return (descriptor, isUnix ? self : .tcp(port: try Self.boundPort(of: descriptor)))
    }

    private var isUnix: Bool {
        if case .unix = self { true } else { false }
    }

    private func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .tcp(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return withRebound(&address, body)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let size = MemoryLayout.size(ofValue: address.sun_path)
            precondition(path.utf8.count < size, "a socket path holds at most \(size - 1) bytes: \(path)")
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return withRebound(&address, body)
        }
    }
}

private func withRebound<Address, Result>(
    _ address: inout Address,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<Address>.size))
        }
    }
}

// A child that inherits a client's socket keeps the connection open after the test has closed it.
private func makeSocket(_ family: Int32) throws -> Int32 {
    #if canImport(Glibc)
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
    let descriptor = socket(family, SOCK_STREAM, 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    #endif
    guard descriptor >= 0 else {
        throw WireMismatch("no socket: \(String(cString: strerror(errno)))")
    }
    return descriptor
}

/// Allows other sockets with the same option to bind to the same port.
private func allowReuse(of descriptor: Int32) {
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
}

private func makeNonblocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

/// A connection that waits to be accepted; it does not block, and no child process inherits it.
func acceptConnection(on listener: Int32) -> Int32? {
    let descriptor = accept(listener, nil, nil)
    guard descriptor >= 0 else { return nil }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    makeNonblocking(descriptor)
    return descriptor
}

// Names that methods shadow.

func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
    listen(descriptor, backlog)
}

func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

func systemBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    bind(descriptor, address, length)
}

@discardableResult
func systemClose(_ descriptor: Int32) -> Int32 {
    close(descriptor)
}

func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
    send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
    #else
    send(descriptor, bytes, count, 0)
    #endif
}
