/// Collects the bytes of an exposition.
///
/// A queue with many tubes has hundreds of thousands of lines, so numbers are written digit by digit, no line makes a
/// string, and memory of its own spares the checks of an array at each piece.
struct TextBuffer: ~Copyable {
    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 256) {
        self.capacity = max(1, capacity)
        memory = .allocate(capacity: self.capacity)
    }

    deinit { memory.deallocate() }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: memory, count: count)) }

    /// Takes back what was appended since there were `count` bytes.
    mutating func truncate(to count: Int) {
        precondition(count <= self.count)
        self.count = count
    }

    /// Room for `more` bytes.
    @inline(__always)
    private mutating func makeRoom(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        capacity = max(2 * capacity, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: memory, count: count)
        memory.deallocate()
        memory = larger
    }

    // MARK: Text

    mutating func append(_ other: UnsafeBufferPointer<UInt8>) {
        guard let start = other.baseAddress else { return }
        makeRoom(other.count)
        (memory + count).update(from: start, count: other.count)
        count += other.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    mutating func append(_ other: [UInt8]) {
        other.withUnsafeBufferPointer { append($0) }
    }

    /// A part of another buffer.
    mutating func append(_ other: borrowing TextBuffer, _ range: Range<Int>) {
        precondition(range.upperBound <= other.count)
        append(UnsafeBufferPointer(start: other.memory + range.lowerBound, count: range.count))
    }

    mutating func append(byte: UInt8) {
        makeRoom(1)
        memory[count] = byte
        count += 1
    }

    /// The value of a label, without its quotes.
    mutating func append(escaped text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\" as StaticString)
            case UInt8(ascii: "\""): append("\\\"" as StaticString)
            case UInt8(ascii: "\n"): append("\\n" as StaticString)
            default: append(byte: byte)
            }
        }
    }

    // MARK: Numbers

    mutating func append(_ number: Int) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        append(UInt64(number.magnitude))
    }

    mutating func append(_ number: UInt64) {
        // The largest number has 20 digits.
        makeRoom(20)
        var digits = 1
        var left = number / 10
        while left > 0 {
            digits += 1
            left /= 10
        }
        left = number
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            memory[place] = 48 + UInt8(truncatingIfNeeded: left % 10)
            left /= 10
        }
        count += digits
    }

    /// The shortest text that reads as the same number; infinity and "not a number" as Prometheus writes them.
    mutating func append(_ number: Double) {
        if let whole = Int(exactly: number), whole.magnitude < 1 << 53 { return append(whole) }
        guard number.isFinite else {
            return append(number.isNaN ? "NaN" : number > 0 ? "+Inf" : "-Inf" as StaticString)
        }
        append(number.description)
    }
}
