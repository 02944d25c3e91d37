import Foundation

/// Who asks. Never on a command line, which every user of the machine can read.
public enum Credentials: Hashable, Sendable {
    case bearer(String)
    case basic(user: String, password: String)

    /// `text`: A token, or `USER:PASSWORD`; space around it is left out.
    /// - Returns: `nil` if it is empty.
    public init?(_ text: String) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { return nil }
        if let colon = text.firstIndex(of: ":") {
            self = .basic(user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
        } else {
            self = .bearer(text)
        }
    }

    /// The value of the header `Authorization`.
    var header: String {
        switch self {
        case .bearer(let token): "Bearer \(token)"
        case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        }
    }
}
