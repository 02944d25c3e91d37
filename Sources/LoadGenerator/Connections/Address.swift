#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The address of a server. Host names are refused, so that a load goes only to the address that was written.
public enum Address: Equatable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address in text, without brackets.
    case ip(String, port: UInt16)
    case unix(path: String)

    /// Parses `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`.
    /// - Throws: `LoadFailure` with a sentence about what is wrong.
    public init(parsing text: String) throws(LoadFailure) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard 1...Self.longestPath ~= path.utf8.count else {
                throw LoadFailure("unix: takes a path of 1 to \(Self.longestPath) bytes.")
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw LoadFailure("\(text) has no port; write it as 127.0.0.1:11300, [::1]:11300 or unix:PATH.")
        }
        var host = String(text[..<colon])
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = String(host.dropFirst().dropLast()) }
        guard Self.isAddress(host, isBracketed ? AF_INET6 : AF_INET) else {
            let written = host == "localhost" ? "127.0.0.1:\(port)" : "the address in numbers"
            throw LoadFailure("\(host) is not an IP address, and no name is looked up: write \(written).")
        }
        self = .ip(host, port: port)
    }

    public var description: String {
        switch self {
        case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// In bytes, without the NUL that the kernel needs after them.
    private static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    private static func isAddress(_ host: String, _ family: Int32) -> Bool {
        // Large enough for both families.
        var address = in6_addr()
        return inet_pton(family, host, &address) == 1
    }
}
