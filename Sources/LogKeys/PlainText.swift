#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Text that says nothing but what can be read.
public enum PlainText {
    /// Characters of a line; a longer one is cut off.
    public static let lineLimit = 8192

    /// One line: all that has no shape of its own (control and format characters, line separators, what Unicode does
    /// not know) is written as an escape.
    public static func line(_ text: some StringProtocol) -> String {
        escape(text, keeping: [])
    }

    /// The same, but with its own lines and tabs.
    public static func lines(_ text: some StringProtocol) -> String {
        escape(text, keeping: ["\n", "\t"])
    }

    private static func escape(_ text: some StringProtocol, keeping kept: Set<Unicode.Scalar>) -> String {
        var escaped = ""
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            if count > lineLimit, kept.isEmpty {
                escaped += "... (\(text.unicodeScalars.count - lineLimit) more characters)"
                break
            }
            if isReadable(scalar) || kept.contains(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += self.escape(scalar)
            }
        }
        return escaped
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{" + String(scalar.value, radix: 16) + "}"
        }
    }

    private static func isReadable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        // Format characters turn the direction of writing, or are not seen at all.
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}

/// What is said to people beside the log. The terminal or the reader of the pipe may be gone: that is no error.
public enum StandardError {
    /// A text with lines of its own, and the end of the last one.
    public static func say(_ text: String) {
        write(PlainText.lines(text) + "\n")
    }

    /// Bytes as they are.
    public static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The system's call, which the method of that name hides.
private func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
