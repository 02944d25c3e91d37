#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A connection to a server of beanstalkd's protocol. Its calls block, so they belong on a thread of their own.
final class ProtocolConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    /// Milliseconds that one answer may take.
    private static let patience: Int32 = 5000
    /// A body that is longer is no statistics.
    private static let bodyLimit = 16 << 20

    /// - Throws: `Trouble`.
    init(_ address: ProtocolAddress) throws {
        descriptor = try Self.connect(address)
    }

    deinit {
        _ = close(descriptor)
    }

    /// Sends all commands at once and reads the answers in order. Of each the body, or nil for NOT_FOUND.
    /// `commands`: Such whose answer is `OK` with a body.
    func ask(_ commands: [String]) throws -> [String?] {
        var answers: [String?] = []
        var rest = commands[...]
        // In portions, so that the server's answers never fill the sockets while it waits for a reader.
        while !rest.isEmpty {
            let portion = rest.prefix(100)
            rest = rest.dropFirst(100)
            try send(portion.map { $0 + "\r\n" }.joined())
            for _ in portion { answers.append(try readAnswer()) }
        }
        return answers
    }

    private func readAnswer() throws -> String? {
        let line = try readLine()
        if line == "NOT_FOUND" { return nil }
        let words = line.split(separator: " ")
        guard words.count == 2, words[0] == "OK", let count = Int(words[1]), (0...Self.bodyLimit).contains(count) else {
            throw Trouble("The server's answer is not one of beanstalkd's: \(Cells.truncate(Cells.clean(line), 60)).")
        }
        while buffer.count - start < count + 2 { try fill() }
        defer { start += count + 2 }
        return String(decoding: buffer[start..<start + count], as: UTF8.self)
    }

    private func readLine() throws -> String {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[start..<end].filter { $0 != UInt8(ascii: "\r") }
                start = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            searched = buffer.count
            guard buffer.count - start < 1000 else {
                throw Trouble("The server's answer is not one of beanstalkd's.")
            }
            let before = start
            try fill()
            searched -= before - start
        }
    }

    private func fill() throws {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        try wait(POLLIN)
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { throw Trouble("The server has closed the connection.") }
        buffer += chunk.prefix(count)
    }

    private func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try wait(POLLOUT)
            let count = rest.withUnsafeBytes { systemSend(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Trouble("The server has closed the connection.") }
            rest = rest.dropFirst(count)
        }
    }

    private func wait(_ event: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        var result = poll(&entry, 1, Self.patience)
        while result < 0, errno == EINTR { result = poll(&entry, 1, Self.patience) }
        guard result > 0 else { throw Trouble("The server takes longer than \(Self.patience / 1000) s to answer.") }
    }

    // MARK: Connecting

    private static func connect(_ address: ProtocolAddress) throws -> Int32 {
        switch address {
        case .unix(let path): try connectUnix(path)
        case .host(let host, let port): try connectHost(host, port)
        }
    }

    private static func connectUnix(_ path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw Trouble("The path of the socket is too long.") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, streamSocket, 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                systemConnect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return try connected(descriptor, result, "unix:\(path)")
    }

    private static func connectHost(_ host: String, _ port: UInt16) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = streamSocket
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &found)
        guard code == 0 else { throw Trouble("No answer from \(host): \(String(cString: gai_strerror(code))).") }
        defer { freeaddrinfo(found) }
        var trouble = Trouble("No answer from \(host): it has no address.")
        var next = found
        while let info = next?.pointee {
            next = info.ai_next
            let descriptor = socket(info.ai_family, streamSocket, 0)
            do {
                return try connected(
                    descriptor, systemConnect(descriptor, info.ai_addr, info.ai_addrlen), "\(host):\(port)")
            } catch let error as Trouble {
                trouble = error
            }
        }
        throw trouble
    }

    private static func connected(_ descriptor: Int32, _ result: Int32, _ name: String) throws -> Int32 {
        guard descriptor >= 0, result == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { _ = close(descriptor) }
            throw Trouble("No answer from \(Cells.clean(name)): \(reason).")
        }
        return descriptor
    }
}

#if canImport(Darwin)
private let streamSocket = SOCK_STREAM
#else
private let streamSocket = Int32(SOCK_STREAM.rawValue)
#endif

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}

/// Without SIGPIPE when the server has gone.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
    send(descriptor, bytes, count, 0)
    #else
    send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
    #endif
}
