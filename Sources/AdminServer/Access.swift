/// Who may look, and who may act.
public struct Access: Sendable {
    /// Viewers may act, and not only look.
    public var allowsActions = true
    /// Names and the hashes of their passwords, as crypt(3) writes them.
    public var users: [String: String] = [:]
    /// Bearer tokens.
    public var tokens: [String] = []
    /// The addresses of proxies whose headers are believed.
    public var trustedProxies: Set<String> = []
    /// The header in which a trusted proxy says who asks.
    public var userHeader: String?
    /// Further names by which browsers may reach a listener on a loopback address.
    public var hosts: Set<String> = []

    public init() {}

    /// There is a way to know who asks, so everybody has to be known.
    public var isNamed: Bool { !users.isEmpty || !tokens.isEmpty || userHeader != nil && !trustedProxies.isEmpty }

    /// The users of a file: a line for each, `NAME:HASH`; empty lines and lines that begin with `#` say nothing.
    /// - Throws: `AccessError`.
    public static func users(in text: String) throws -> [String: String] {
        var users: [String: String] = [:]
        for (number, line) in lines(of: text) {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, parts[1].hasPrefix("$"), parts[1].utf8.count > 10 else {
                throw AccessError.badLine(number)
            }
            users[String(parts[0])] = String(parts[1])
        }
        guard !users.isEmpty else { throw AccessError.isEmpty }
        return users
    }

    /// The tokens of a file, one a line, each of 16 characters or more.
    /// - Throws: `AccessError`.
    public static func tokens(in text: String) throws -> [String] {
        let tokens = try lines(of: text).map { number, line in
            guard line.utf8.count >= 16 else { throw AccessError.shortToken(number) }
            return line
        }
        guard !tokens.isEmpty else { throw AccessError.isEmpty }
        return tokens
    }

    private static func lines(of text: String) -> [(Int, String)] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            .map { ($0 + 1, String($1.trimmingPrefix { $0 == " " })) }
            .filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
    }
}

/// What is wrong with a file of users or tokens.
public enum AccessError: Error, CustomStringConvertible {
    case badLine(Int)
    case shortToken(Int)
    case isEmpty

    public var description: String {
        switch self {
        case .badLine(let number): "line \(number) is not NAME:HASH (make the hash with `openssl passwd -6`)"
        case .shortToken(let number): "the token in line \(number) has fewer than 16 characters"
        case .isEmpty: "it has no line"
        }
    }
}

/// Who asks.
struct Viewer: Sendable, Hashable {
    /// The name that the viewer was recognized by.
    var name: String?
    /// For the audit: the name, or the address.
    var label: String
    var mayAct: Bool
}
