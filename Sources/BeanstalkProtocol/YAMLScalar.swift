/// A text as a YAML value: bare where every parser reads it as that text, else in double quotes.
///
/// Many clients read statistics line by line and keep the quotes, so there are no quotes without need. Others parse
/// YAML 1.1, which reads `1e3` as a number and `yes` as true. Where parsers differ (underscores, octal numbers, upper
/// case), a text is quoted if any of them reads it as something else.
enum YAMLScalar {
    static func scalar(_ text: String) -> String {
        canStandBare(text) ? text : quoted(text)
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "\0"..."\u{1F}", "\u{7F}":
                result += scalar.value < 16 ? "\\x0" : "\\x"
                result += String(scalar.value, radix: 16, uppercase: true)
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func canStandBare(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return !isSyntax(bytes) && !isWord(text) && !isNumber(bytes[...]) && !isDate(bytes[...])
    }

    // MARK: What a parser does not read as text

    /// Whether the text is empty or contains syntax of YAML.
    private static func isSyntax(_ text: [UInt8]) -> Bool {
        guard let first = text.first, let last = text.last else { return true }
        if indicators.contains(first) || first == space || last == space || last == colon { return true }
        if text.contains(where: { $0 < space || $0 == 0x7F }) { return true }
        return zip(text, text.dropFirst()).contains { one, next in
            one == colon && next == space || one == space && next == UInt8(ascii: "#")
        }
    }

    private static func isWord(_ text: String) -> Bool {
        words.contains(text.lowercased())
    }

    private static let words: Set = [
        "y", "yes", "n", "no", "true", "false", "on", "off", "null", "~", "=", "<<", ".nan", ".inf", "+.inf", "-.inf",
    ]

    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var left = text
        let isSigned = left.first == UInt8(ascii: "+") || left.first == UInt8(ascii: "-")
        if isSigned { left.removeFirst() }
        return isBased(left) || isDecimal(left, isSigned: isSigned)
    }

    /// `0x1F`, `0b1010`, `0o17`.
    private static func isBased(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count > 2, text.first == UInt8(ascii: "0") else { return false }
        let digits: String
        switch text[text.startIndex + 1] | 0x20 {
        case UInt8(ascii: "x"): digits = "0123456789abcdefABCDEF_"
        case UInt8(ascii: "b"): digits = "01_,"
        case UInt8(ascii: "o"): digits = "01234567_"
        default: return false
        }
        return text.dropFirst(2).allSatisfy { digits.utf8.contains($0) }
    }

    /// `17`, `017`, `1_000`, `1.5`, `.5`, `1.`, `1.2.3`, `1:30`, `1e3`; also a single point, by the grammar of YAML
    /// 1.1.
    private static func isDecimal(_ text: ArraySlice<UInt8>, isSigned: Bool) -> Bool {
        guard let first = text.first, isDigit(first) || first == point || isSigned && first == underscore
        else { return false }
        let mantissa = text.prefix { isDigit($0) || "_.,:".utf8.contains($0) }
        guard first == point || mantissa.contains(where: isDigit) else { return false }
        var exponent = text.dropFirst(mantissa.count)
        guard let mark = exponent.popFirst() else { return true }
        guard mark | 0x20 == UInt8(ascii: "e") else { return false }
        if let sign = exponent.first, "+-".utf8.contains(sign) { exponent.removeFirst() }
        return !exponent.isEmpty && exponent.allSatisfy { isDigit($0) || $0 == underscore }
    }

    /// `2026-11-27`, with or without a time after it.
    private static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        var left = text
        for (fewest, most) in [(4, 4), (1, 2), (1, 2)] {
            if most < 4, left.popFirst() != UInt8(ascii: "-") { return false }
            let digits = left.prefix(most).prefix(while: isDigit)
            guard digits.count >= fewest else { return false }
            left = left.dropFirst(digits.count)
        }
        return left.isEmpty || "Tt ".utf8.contains(left.first!) && left.contains(colon)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static let indicators = Array("-?:,[]{}#&*!|>'\"%@`".utf8)
    private static let space = UInt8(ascii: " ")
    private static let colon = UInt8(ascii: ":")
    private static let point = UInt8(ascii: ".")
    private static let underscore = UInt8(ascii: "_")
}
