/// A reply of a server to a client.
enum Reply: Sendable {
    case line(String)
    /// A line that announces a body, and the body.
    case withBody(String, [UInt8])
    /// The server has closed the connection.
    case closed

    /// The line, without its CRLF.
    var line: String {
        switch self {
        case .line(let line), .withBody(let line, _): line
        case .closed: "(closed)"
        }
    }
}

/// Cuts a server's bytes into replies.
struct ReplyParser {
    private var bytes: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// The bytes of an incomplete reply.
    var rest: [UInt8] { bytes }

    /// The next complete reply.
    mutating func next() -> Reply? {
        guard let end = bytes.indices.dropLast().first(where: { bytes[$0] == 0x0D && bytes[$0 + 1] == 0x0A }) else {
            return nil
        }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        guard let size = Self.bodySize(line) else {
            bytes.removeFirst(end + 2)
            return .line(line)
        }
        guard bytes.count >= end + 2 + size + 2 else { return nil }
        let body = Array(bytes[(end + 2)..<(end + 2 + size)])
        bytes.removeFirst(end + 2 + size + 2)
        return .withBody(line, body)
    }

    private static func bodySize(_ line: String) -> Int? {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("OK", 2): return Int(words[1])
        case ("RESERVED", 3), ("FOUND", 3): return Int(words[2])
        default: return nil
        }
    }
}
