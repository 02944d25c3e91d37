#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The bodies of the jobs of a run, by which each delivery is checked: the run's id, the job's number and the time of
/// its put, 16 hexadecimal digits each, and then a text that depends on the number.
struct JobBody {
    static let minimumSize = 48

    let size: Int
    let run: UInt64
    /// The text of job n begins at letter n modulo a prime, so that two jobs hardly ever have the same text.
    private let letters: [UInt8]
    private static let period = 1009

    init(size: Int, run: UInt64) {
        precondition(size >= Self.minimumSize)
        self.size = size
        self.run = run
        var random: UInt32 = 1
        letters = (0..<size + Self.period).map { _ in
            random = random &* 1_664_525 &+ 1_013_904_223
            return UInt8(ascii: "a") + UInt8((random >> 16) % 26)
        }
    }

    func append(_ sequence: Int, at time: Nanoseconds, to bytes: inout ByteQueue) {
        let room = bytes.room(for: size)
        Self.write(run, to: room, at: 0)
        Self.write(UInt64(sequence), to: room, at: 16)
        Self.write(time, to: room, at: 32)
        withText(sequence) { UnsafeMutableRawBufferPointer(rebasing: room[48...]).copyMemory(from: $0) }
        bytes.add(size)
    }

    /// Parses a body of this run or another.
    /// - Returns: `nil` unless the body is complete and unchanged.
    func read(_ body: UnsafeRawBufferPointer) -> (run: UInt64, sequence: Int, time: Nanoseconds)? {
        guard body.count == size, let run = Self.read(body, at: 0), let number = Self.read(body, at: 16),
            let sequence = Int(exactly: number), let time = Self.read(body, at: 32)
        else { return nil }
        let isWhole = withText(sequence) { memcmp($0.baseAddress!, body.baseAddress! + 48, $0.count) == 0 }
        return isWhole ? (run, sequence, time) : nil
    }

    private func withText<Result>(_ sequence: Int, _ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        let first = sequence % Self.period
        return letters.withUnsafeBytes { use(UnsafeRawBufferPointer(rebasing: $0[first..<first + size - 48])) }
    }

    private static func write(_ number: UInt64, to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        var rest = number
        for index in (offset..<offset + 16).reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            bytes[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            rest >>= 4
        }
    }

    private static func read(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in offset..<offset + 16 {
            let digit: UInt8
            switch bytes[index] {
            case let byte where UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte: digit = byte - UInt8(ascii: "0")
            case let byte where UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte: digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }
}
