/// Parses a command line from left to right.
///
/// It borrows the bytes of the line, so it must not outlive the closure that was given them.
struct LineCursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    /// The bytes that have not been read.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[position...]) }

    /// Moves past `word` when the rest of the line starts with it.
    mutating func skip(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        let start = word.utf8Start
        for offset in 0..<count where bytes[position + offset] != start[offset] { return false }
        position += count
        return true
    }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard !isAtEnd, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpaces() {
        while skip(UInt8(ascii: " ")) {}
    }

    /// Reads the longest run of bytes that satisfy `accepts`. It may be empty.
    mutating func read(while accepts: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
        let start = position
        while position < bytes.count, accepts(bytes[position]) { position += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// Reads a number as most commands write it: spaces, then decimal digits, without a sign. `nil` when there is none.
    mutating func u64() -> UInt64? {
        skipSpaces()
        return digits()
    }

    /// As `u64`; `nil` also above 2^32 - 1.
    mutating func u32() -> UInt32? {
        u64().flatMap(UInt32.init(exactly:))
    }

    /// Reads a number as C's `strtoul` does: white space, an optional sign, digits. A `-` negates modulo 2^64.
    mutating func strtoul() -> UInt64? {
        let isNegative = sign()
        return digits().map { isNegative ? 0 &- $0 : $0 }
    }

    /// Reads a number as C's `strtol` does; `nil` also when it does not fit into an `Int64`.
    mutating func strtol() -> Int64? {
        let isNegative = sign()
        guard let value = digits() else { return nil }
        guard isNegative else { return Int64(exactly: value) }
        return value > Int64.min.magnitude ? nil : Int64(truncatingIfNeeded: 0 &- value)
    }

    /// Skips white space and a sign. Returns whether the sign is a minus.
    private mutating func sign() -> Bool {
        _ = read { $0 == UInt8(ascii: " ") || (0x09...0x0D).contains($0) }
        if skip(UInt8(ascii: "-")) { return true }
        _ = skip(UInt8(ascii: "+"))
        return false
    }

    private mutating func digits() -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }
}
