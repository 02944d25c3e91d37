/// A JSON value that keeps the order of its keys. Numbers have at most six digits after the point.
enum JSON {
    case null
    case number(Double)
    case integer(Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    init(_ number: Double?) {
        self = number.map { .number($0) } ?? .null
    }

    var text: String {
        switch self {
        case .null: "null"
        case .number(let number): number.isFinite ? "\((number * 1e6).rounded() / 1e6)" : "null"
        case .integer(let number): "\(number)"
        case .string(let string): Self.quoted(string)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\(Self.quoted($0)):\($1.text)" }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
