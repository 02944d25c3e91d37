public import MetricsExposition

/// Where the admin listener listens, and whom it serves.
public struct AdminConfiguration: Sendable {
    /// An address to listen on.
    public enum Address: Sendable, Hashable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unix(path: String)

        /// `ADDR:PORT`, `[ADDR]:PORT` or `unix:PATH`; `nil` for anything else.
        public init?(_ text: String) {
            if text.hasPrefix("unix:") {
                let path = String(text.dropFirst("unix:".count))
                guard !path.isEmpty else { return nil }
                self = .unix(path: path)
                return
            }
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
                return nil
            }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                return nil
            }
            guard !host.isEmpty else { return nil }
            self = .tcp(host: host, port: Int(port))
        }

        public var description: String {
            switch self {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): "unix:\(path)"
            }
        }

        /// Only programs of this machine reach it.
        public var isLoopback: Bool {
            switch self {
            case .tcp(let host, _): AdminConfiguration.isLoopback(host)
            case .unix: true
            }
        }
    }

    public var address = Address.tcp(host: "127.0.0.1", port: 11380)
    /// Of the broker, as `stats` says it.
    public var version = ""
    /// The schema of the queue.
    public var schema = "beanrow"
    /// The largest body that the broker takes, in bytes.
    public var maxJobSize = 65535
    /// How viewers are recognized, and what they may do.
    public var access = Access()
    /// What `GET /metrics` tells.
    public var metrics = Metrics()
    /// The path below which all is served, `/` or `/queue/`.
    public var basePath = "/"

    public init() {}

    /// `127.0.0.1`, `::1` and names for them.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host == "::1" || host == "0:0:0:0:0:0:0:1"
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
            || host.hasPrefix("::ffff:127.")
    }
}

/// Why the admin listener cannot serve.
public enum AdminError: Error, CustomStringConvertible {
    case cannotListen(AdminConfiguration.Address, reason: String)

    public var description: String {
        switch self {
        case .cannotListen(let address, let reason):
            "cannot listen for HTTP on \(address): \(reason) (--http takes another address, --no-http none)"
        }
    }
}
