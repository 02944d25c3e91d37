#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Text without characters that a terminal or a reader of log lines acts on.
public enum PlainText {
    /// The longest line in characters (Unicode scalars). A longer line is cut off.
    public static let lineLimit = 8192

    /// The text as one line. Control and format characters, line separators and unassigned characters are written as
    /// escapes.
    public static func line(_ text: some StringProtocol) -> String {
        escape(text, keeping: [])
    }

    /// The same, but line breaks and tabs are kept and the length is not limited.
    public static func lines(_ text: some StringProtocol) -> String {
        escape(text, keeping: ["\n", "\t"])
    }

    /// The text, cut off behind `lineLimit` scalars.
    public static func limited(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: lineLimit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return text }
        return String(scalars[..<end]) + "... (\(scalars.count - lineLimit) more characters)"
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

    /// Whether it stands for itself: a terminal and a reader of lines only show it.
    public static func isReadable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        // Format characters change the direction of writing, or are invisible.
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}

/// Output for people beside the log. Errors are ignored: the terminal or the reader of the pipe may be gone.
public enum StandardError {
    /// Writes a text, which may have several lines, and a line break.
    public static func say(_ text: String) {
        write(PlainText.lines(text) + "\n")
    }

    /// Writes the text unchanged.
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

/// The system's `write`, which the method of the same name hides.
private func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
