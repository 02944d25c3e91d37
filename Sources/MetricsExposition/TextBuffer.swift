/// Collects the bytes of an exposition. A queue with many tubes has hundreds of thousands of lines, so numbers are written
/// digit by digit, and no line makes a string.
struct TextBuffer {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }

    mutating func append(_ other: ArraySlice<UInt8>) { bytes.append(contentsOf: other) }

    mutating func append(byte: UInt8) { bytes.append(byte) }

    /// Takes back what was appended since there were `count` bytes.
    mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

    mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        append(number.magnitude)
    }

    mutating func append(_ number: some UnsignedInteger & FixedWidthInteger) {
        guard number >= 10 else { return bytes.append(48 + UInt8(truncatingIfNeeded: number)) }
        let start = bytes.count
        var left = UInt64(number)
        while left > 0 {
            bytes.append(48 + UInt8(left % 10))
            left /= 10
        }
        bytes[start...].reverse()
    }

    /// The shortest text that reads as the same number; infinity and "not a number" as Prometheus writes them.
    mutating func append(_ number: Double) {
        if let whole = Int(exactly: number), whole.magnitude < 1 << 53 { return append(whole) }
        guard number.isFinite else {
            return append(number.isNaN ? "NaN" : number > 0 ? "+Inf" : "-Inf" as StaticString)
        }
        append(number.description)
    }

    /// The value of a label, without its quotes.
    mutating func append(escaped text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\" as StaticString)
            case UInt8(ascii: "\""): append("\\\"" as StaticString)
            case UInt8(ascii: "\n"): append("\\n" as StaticString)
            default: bytes.append(byte)
            }
        }
    }
}
