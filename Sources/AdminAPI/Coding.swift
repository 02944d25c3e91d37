public import Foundation

/// How the types of this module become JSON.
public enum AdminAPI {
    /// The path below which the API lies.
    public static let path = "/api/v1"

    /// An encoder for answers and requests: keys in snake case, times in RFC 3339 with milliseconds.
    public static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(timeFormat))
        }
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return encoder
    }

    /// A decoder for what `encoder` makes.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            if let date = try? Date(text, strategy: timeFormat) { return date }
            if let date = try? Date(text, strategy: .iso8601) { return date }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time of RFC 3339: \(text)")
        }
        return decoder
    }

    private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}

/// Every answer with a status of 400 or more (RFC 9457, with `hint` added).
public struct Problem: Codable, Hashable, Sendable, Error {
    /// The status of HTTP.
    public var status: Int
    /// What is wrong, in a sentence.
    public var title: String
    /// What to do about it, in a sentence.
    public var hint: String?
    /// The SQLSTATE of the queue (`BR001` and so on), if PostgreSQL refused it.
    public var code: String?

    public init(status: Int, title: String, hint: String? = nil, code: String? = nil) {
        self.status = status
        self.title = title
        self.hint = hint
        self.code = code
    }
}
