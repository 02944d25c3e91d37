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
            if let date = date(text) { return date }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time of RFC 3339: \(text)")
        }
        return decoder
    }

    /// A time of RFC 3339, with any number of digits after the point and any offset; `nil` for anything else.
    public static func date(_ text: String) -> Date? {
        guard
            let match = text.wholeMatch(
                of: /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))/
                    .asciiOnlyDigits())
        else { return nil }
        func number(_ text: Substring?) -> Int { text.flatMap { Int($0) } ?? 0 }
        let (year, month, day) = (number(match.1), number(match.2), number(match.3))
        let (hour, minute, second) = (number(match.4), number(match.5), number(match.6))
        let (offsetHours, offsetMinutes) = (number(match.9), number(match.10))
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        // A second 60 is a leap second.
        guard (1...12).contains(month), (1...lengths[month - 1]).contains(day), hour < 24, minute < 60, second < 61,
            offsetHours < 24, offsetMinutes < 60
        else { return nil }
        // Days since 1970-01-01, with years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let offset = (offsetHours * 3600 + offsetMinutes * 60) * (match.8 == "-" ? -1 : 1)
        let seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
        let fraction = match.7.flatMap { Double("0" + $0) } ?? 0
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
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
