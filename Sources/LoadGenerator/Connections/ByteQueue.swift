/// Bytes on their way into or out of a connection: added at the end and dropped from the front. The memory is reused,
/// so a message costs no allocation.
struct ByteQueue: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    private var end = 0

    deinit {
        memory.deallocate()
    }

    var isEmpty: Bool { start == end }

    /// The bytes in the queue; valid until the queue is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    mutating func drop(_ count: Int) {
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    /// Memory behind the bytes, for at least `count` more; valid until the queue is changed.
    mutating func room(for count: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count - end < count { makeRoom(for: count) }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    /// Adds the first `count` bytes of the room to the queue.
    mutating func add(_ count: Int) {
        end += count
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        room(for: bytes.count).copyMemory(from: bytes)
        end += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends the number in decimal.
    mutating func append(_ number: UInt64) {
        var divisor: UInt64 = 1
        var count = 1
        while number / divisor > 9 {
            divisor *= 10
            count += 1
        }
        let room = room(for: count)
        var rest = number
        for index in (0..<count).reversed() {
            room[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        end += count
    }

    private mutating func makeRoom(for count: Int) {
        let held = end - start
        if memory.count - held >= count {
            // Moves the bytes to the front.
            memory.copyMemory(from: bytes)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(held + count, 2 * memory.count), alignment: 16)
            larger.copyMemory(from: bytes)
            memory.deallocate()
            memory = larger
        }
        (start, end) = (0, held)
    }
}
