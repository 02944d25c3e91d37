import Foundation

/// Where an admin listener is.
public struct AdminAddress: Hashable, Sendable, CustomStringConvertible {
    /// The default of `serve`.
    public static let standard = AdminAddress(base: "http://127.0.0.1:11380", description: "127.0.0.1:11380")
    /// The port of an address without one.
    public static let port = 11380

    /// The URL that paths are appended to; it does not end in a slash.
    let base: String
    /// As it was written.
    public let description: String

    private init(base: String, description: String) {
        self.base = base
        self.description = description
    }

    /// Reads `HOST`, `HOST:PORT`, `[IPv6]:PORT`, `http://HOST:PORT/BASE-PATH`, `https://...` or `unix:/PATH`.
    /// - Returns: `nil` if it is none of these.
    public init?(_ text: String) {
        description = text
        if let path = text.wholeMatch(of: /unix:(?:\/\/)?(\/.+)/)?.1 {
            base = "http+unix://" + AdminAddress.encode(String(path))
        } else if text.hasPrefix("http://") || text.hasPrefix("https://") {
            guard let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user() == nil,
                url.query() == nil
            else { return nil }
            base = text.hasSuffix("/") ? String(text.dropLast()) : text
        } else if text.wholeMatch(of: /[^:\/\s\[\]@?#]+|\[[0-9a-fA-F:.]+\]/) != nil {
            base = "http://\(text):\(AdminAddress.port)"
        } else if let found = text.wholeMatch(of: /(?:[^:\/\s\[\]@?#]*|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})/),
            let port = UInt16(found.1), port > 0
        {
            base = "http://" + (text.hasPrefix(":") ? "127.0.0.1" : "") + text
        } else {
            return nil
        }
    }

    /// Percent-encodes all but the unreserved characters, so that a name is one segment of a path or one value.
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
