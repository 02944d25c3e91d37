/// A server's reply, as far as the clients here need it. Its bytes are the connection's, and valid until the next read.
enum Reply {
    case inserted(id: UInt64)
    case reserved(id: UInt64, body: UnsafeRawBufferPointer)
    case deleted
    case notFound
    case timedOut
    case using
    case watching
    case ok(UnsafeRawBufferPointer)
    /// Any other line.
    case other(UnsafeRawBufferPointer)

    /// In bytes, far above the longest line of the protocol.
    private static let longestLine = 4096

    /// Parses the first reply.
    /// - Returns: The reply and its length in bytes, or `nil` when it has not arrived completely.
    static func first(in bytes: UnsafeRawBufferPointer) throws(LoadFailure) -> (reply: Reply, length: Int)? {
        guard let newline = bytes.prefix(longestLine).firstIndex(of: UInt8(ascii: "\n")) else {
            guard bytes.count < longestLine else { throw LoadFailure("the server sent a line that does not end") }
            return nil
        }
        guard newline > 0, bytes[newline - 1] == UInt8(ascii: "\r") else {
            return (.other(UnsafeRawBufferPointer(rebasing: bytes[..<newline])), newline + 1)
        }
        let line = UnsafeRawBufferPointer(rebasing: bytes[..<(newline - 1)])
        var words = ReplyCursor(line)
        if words.skip("INSERTED "), let id = words.number(), words.isAtEnd {
            return (.inserted(id: id), newline + 1)
        }
        if words.skip("RESERVED "), let id = words.number(), words.skip(" "), let size = words.number(), words.isAtEnd {
            return try body(of: bytes, from: newline + 1, size).map { (.reserved(id: id, body: $0.body), $0.end) }
        }
        if words.skip("OK "), let size = words.number(), words.isAtEnd {
            return try body(of: bytes, from: newline + 1, size).map { (.ok($0.body), $0.end) }
        }
        return (words.plain ?? .other(line), newline + 1)
    }

    private static func body(
        of bytes: UnsafeRawBufferPointer, from start: Int, _ size: UInt64
    ) throws(LoadFailure) -> (body: UnsafeRawBufferPointer, end: Int)? {
        guard size < 1 << 31 else { throw LoadFailure("the server announced a body of \(size) bytes") }
        let end = start + Int(size)
        guard bytes.count >= end + 2 else { return nil }
        guard bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n") else {
            throw LoadFailure("the server sent a body of another size than the \(size) bytes that it announced")
        }
        return (UnsafeRawBufferPointer(rebasing: bytes[start..<end]), end + 2)
    }

    /// The failure that this is no answer to `command`.
    func unexpected(to command: String) -> LoadFailure {
        let text =
            switch self {
            case .inserted(let id): "INSERTED \(id)"
            case .reserved(let id, let body): "RESERVED \(id) \(body.count)"
            case .deleted: "DELETED"
            case .notFound: "NOT_FOUND"
            case .timedOut: "TIMED_OUT"
            case .using: "USING"
            case .watching: "WATCHING"
            case .ok(let body): "OK \(body.count)"
            case .other(let line):
                String(decoding: line.prefix(80).map { 0x20..<0x7F ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
            }
        return LoadFailure("unexpected reply to \(command): \(text)")
    }
}

/// Parses a line from left to right.
private struct ReplyCursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ word: StaticString) -> Bool {
        guard bytes.count - position >= word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[position + offset] != word.utf8Start[offset] {
            return false
        }
        position += word.utf8CodeUnitCount
        return true
    }

    mutating func number() -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            // The protocol has no longer numbers.
            guard position - start < 19 else { return nil }
            value = value * 10 + UInt64(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    /// A reply that is one word, or a word and something that does not matter here.
    var plain: Reply? {
        var line = ReplyCursor(bytes)
        if line.skip("DELETED") { return line.isAtEnd ? .deleted : nil }
        if line.skip("TIMED_OUT") { return line.isAtEnd ? .timedOut : nil }
        if line.skip("NOT_FOUND") { return line.isAtEnd ? .notFound : nil }
        if line.skip("USING ") { return .using }
        if line.skip("WATCHING ") { return .watching }
        return nil
    }
}
