/// Where a server of beanstalkd's protocol listens.
public enum ProtocolAddress: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: UInt16)
    case unix(path: String)

    /// beanstalkd's.
    public static let port: UInt16 = 11300

    /// Reads `HOST`, `HOST:PORT`, `[IPv6]:PORT` and `unix:PATH`, with or without `beanstalkd://` or `beanstalk://` before.
    public init?(_ text: String) {
        var rest = text[...]
        for scheme in ["beanstalkd://", "beanstalk://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            if rest.hasSuffix("/") { rest = rest.dropLast() }
        }
        if rest.hasPrefix("unix:") {
            let path = String(rest.dropFirst(5))
            guard !path.isEmpty else { return nil }
            self = .unix(path: path)
        } else if let found = rest.wholeMatch(of: /(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:\/\s\[\]]+))(?::([0-9]{1,5}))?/) {
            guard let port = found.3.map({ UInt16($0) }) ?? ProtocolAddress.port, port > 0 else { return nil }
            self = .host(String(found.1 ?? found.2 ?? ""), port: port)
        } else {
            return nil
        }
    }

    /// Whether the text says that it is no HTTP address.
    public static func isMeant(_ text: String) -> Bool {
        text.hasPrefix("beanstalkd://") || text.hasPrefix("beanstalk://")
    }

    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
