import Foundation
import LogKeys
import Logging

/// How a record becomes a line.
public enum LogFormat: String, CaseIterable, Sendable {
    /// For people. The time is local and has no fraction.
    case text
    /// One JSON object: `time`, `level`, `message`, `source`, then the metadata. All values are strings, but for metadata
    /// that is a list or a dictionary.
    case json
    /// `key=value` with the same keys, quoted where needed.
    case logfmt

    /// The record as one line, without its line break.
    public func line(_ record: LogRecord) -> String {
        switch self {
        case .text: PlainText.line(text(record))
        case .json: json(record)
        case .logfmt: logfmt(record)
        }
    }

    private func text(_ record: LogRecord) -> String {
        let metadata = record.metadataText
        return "\(localTime(record.time)) \(record.level) beanrow:\(metadata.isEmpty ? "" : " \(metadata)") "
            + "[\(record.source)] \(record.message)"
    }

    private func json(_ record: LogRecord) -> String {
        var members = fixed(record).map { "\(JSONText.string($0.key)):\(JSONText.string($0.value))" }
        members += record.sortedMetadata.map { "\(JSONText.string(free($0.key))):\(JSONText.value($0.value))" }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func logfmt(_ record: LogRecord) -> String {
        var pairs = fixed(record).map { "\($0.key)=\(LogfmtText.value($0.value))" }
        pairs += record.sortedMetadata.map { "\(LogfmtText.key(free($0.key)))=\(LogfmtText.value("\($0.value)"))" }
        return pairs.joined(separator: " ")
    }

    private func fixed(_ record: LogRecord) -> [(key: String, value: String)] {
        [
            ("time", record.time.formatted(Self.utc)), ("level", record.level.rawValue), ("message", record.message),
            ("source", record.source),
        ]
    }

    /// A metadata key that is one of the fixed keys gets an underscore, so that no key comes twice.
    private func free(_ key: String) -> String {
        ["time", "level", "message", "source"].contains(key) ? key + "_" : key
    }

    private static let utc = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    private func localTime(_ time: Date) -> String {
        var seconds = time_t(time.timeIntervalSince1970.rounded(.down))
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S%z", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Strings and metadata in JSON.
enum JSONText {
    static func value(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): string(text)
        case .stringConvertible(let any): string("\(any)")
        case .array(let values): "[" + values.map(self.value).joined(separator: ",") + "]"
        case .dictionary(let pairs):
            "{"
                + pairs.sorted { $0.key < $1.key }.map { "\(string($0.key)):\(self.value($0.value))" }
                .joined(separator: ",") + "}"
        }
    }

    static func string(_ text: String) -> String {
        "\"" + escape(PlainText.limited(text)) + "\""
    }

    /// Quotation marks, backslashes, and all that a terminal or a reader of lines acts on, as escapes of JSON.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where PlainText.isReadable(scalar): escaped.unicodeScalars.append(scalar)
            default:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return escaped
    }
}

/// Keys and values of logfmt.
enum LogfmtText {
    /// As it is, if a reader can tell where it ends; else in quotation marks, with JSON's escapes.
    static func value(_ text: String) -> String {
        let isBare = !text.isEmpty && text.unicodeScalars.allSatisfy { Self.isBare($0) }
        return isBare ? PlainText.limited(text) : JSONText.string(text)
    }

    /// What cannot stand in a key becomes an underscore.
    static func key(_ text: String) -> String {
        let key = String(String.UnicodeScalarView(text.unicodeScalars.map { isBare($0) ? $0 : "_" }))
        return key.isEmpty ? "_" : key
    }

    private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
        PlainText.isReadable(scalar) && !scalar.properties.isWhitespace && !["=", "\"", "\\"].contains(scalar)
    }
}
