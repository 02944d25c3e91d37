import CLibPQ
import Foundation

/// What a connection string keeps secret. libpq's messages quote from strings that it cannot read, and take a part of
/// a password for a host where a character in it should have been escaped.
public struct ConnectionSecrets: Sendable {
    private static let hidden = "****"

    /// The passwords, as they are and as they are written in the string.
    private let passwords: [String]
    /// Why nothing that libpq says about the string can be shown.
    private let flaw: String?

    /// `conninfo`: a libpq connection string or URL, or what somebody has given for one.
    public init(in conninfo: String) {
        guard Self.isConninfo(conninfo) else {
            // The name of a database.
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

    /// Whether there is a password in the string, or what may be a part of one.
    public var isEmpty: Bool { passwords.isEmpty && flaw == nil }

    /// The text without the passwords.
    public func redact(_ text: String) -> String {
        flaw ?? passwords.reduce(text) { $0.replacingOccurrences(of: $1, with: Self.hidden) }
    }

    /// As libpq decides whether the value of `dbname` is more than a name.
    private static func isConninfo(_ text: String) -> Bool { isURL(text) || text.contains("=") }

    private static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    /// An @ that does not end the user's part: the password before it was not escaped, and libpq has cut it in two.
    private static func isMisread(_ text: String) -> Bool {
        guard isURL(text), let start = text.range(of: "://")?.upperBound else { return false }
        let rest = text[start...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let before = authority.count { $0 == "@" }
        return before > 1 || before == 0 && rest.contains("@")
    }

    /// The password of a URL as it stands there, escaped.
    private static func written(in text: String) -> [String] {
        guard isURL(text), let start = text.range(of: "://")?.upperBound,
            let end = text[start...].firstIndex(of: "@"), let colon = text[start..<end].firstIndex(of: ":")
        else { return [] }
        return [String(text[text.index(after: colon)..<end])]
    }

    /// What the string says; `nil` if libpq cannot read it.
    private static func options(of text: String) -> [(keyword: String, value: String)]? {
        guard let first = PQconninfoParse(text, nil) else { return nil }
        defer { PQconninfoFree(first) }
        return conninfoOptions(first)
    }
}

/// libpq's list of options, those that have a value.
func conninfoOptions(_ first: UnsafeMutablePointer<PQconninfoOption>) -> [(keyword: String, value: String)] {
    var found: [(keyword: String, value: String)] = []
    var option = first
    while let keyword = option.pointee.keyword {
        if let value = option.pointee.val { found.append((String(cString: keyword), String(cString: value))) }
        option += 1
    }
    return found
}
