import CLibPQ
import Foundation

/// The secrets of a connection string. libpq's messages quote strings that it cannot parse, and show a part of a password
/// as a host if a character in it was not escaped.
public struct ConnectionSecrets: Sendable {
    private static let hidden = "****"

    /// The passwords, both decoded and as written in the string.
    private let passwords: [String]
    /// Shown instead of any message about a string that libpq misreads.
    private let flaw: String?

    /// `conninfo`: a libpq connection string or URL, valid or not.
    public init(in conninfo: String) {
        guard Self.isConninfo(conninfo) else {
            // Just the name of a database.
            (passwords, flaw) = ([], nil)
            return
        }
        guard let options = Self.options(of: conninfo) else {
            (passwords, flaw) = ([], "the connection string cannot be read")
            return
        }
        let found = options.filter { $0.keyword.hasSuffix("password") }.map(\.value)
        passwords = (found + Self.written(in: conninfo)).filter { !$0.isEmpty }.sorted { $0.count > $1.count }
        flaw =
            Self.isMisread(conninfo)
            ? "the URL of the database cannot be read: in its user and password, write @ as %40, / as %2F and so on"
            : nil
    }

    /// True if the string has no password and nothing that may be a part of one.
    public var isEmpty: Bool { passwords.isEmpty && flaw == nil }

    /// The text without the passwords.
    public func redact(_ text: String) -> String {
        flaw ?? passwords.reduce(text) { $0.replacingOccurrences(of: $1, with: Self.hidden) }
    }

    /// The rule by which libpq decides that the value of `dbname` is more than a name.
    private static func isConninfo(_ text: String) -> Bool { isURL(text) || text.contains("=") }

    private static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    /// True if an @ does not end the user's part: the password was not escaped, and libpq has cut it in two.
    private static func isMisread(_ text: String) -> Bool {
        guard isURL(text), let start = text.range(of: "://")?.upperBound else { return false }
        let rest = text[start...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let before = authority.count { $0 == "@" }
        return before > 1 || before == 0 && rest.contains("@")
    }

    /// The password of a URL as written, escaped.
    private static func written(in text: String) -> [String] {
        guard isURL(text), let start = text.range(of: "://")?.upperBound,
            let end = text[start...].firstIndex(of: "@"), let colon = text[start..<end].firstIndex(of: ":")
        else { return [] }
        return [String(text[text.index(after: colon)..<end])]
    }

    /// The options of the string; `nil` if libpq cannot parse it.
    private static func options(of text: String) -> [(keyword: String, value: String)]? {
        guard let first = PQconninfoParse(text, nil) else { return nil }
        defer { PQconninfoFree(first) }
        return conninfoOptions(first)
    }
}

/// The options of libpq's list that have a value.
func conninfoOptions(_ first: UnsafeMutablePointer<PQconninfoOption>) -> [(keyword: String, value: String)] {
    var found: [(keyword: String, value: String)] = []
    var option = first
    while let keyword = option.pointee.keyword {
        if let value = option.pointee.val { found.append((String(cString: keyword), String(cString: value))) }
        option += 1
    }
    return found
}
