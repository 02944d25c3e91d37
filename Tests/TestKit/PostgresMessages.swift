/// A message of PostgreSQL's protocol, version 3, as it stands on the wire.
struct PostgresMessage {
    static let bind = UInt8(ascii: "B")
    static let sync = UInt8(ascii: "S")
    static let readyForQuery = UInt8(ascii: "Z")

    /// 0 for the first message of a client, which has none.
    let type: UInt8
    let bytes: [UInt8]

    /// The prepared statement that a bind message names: after the type, the length and the portal's name.
    var boundStatement: String? {
        guard type == Self.bind, let portalEnd = bytes.dropFirst(5).firstIndex(of: 0) else { return nil }
        return String(decoding: bytes[(portalEnd + 1)...].prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Cuts one direction of a connection into messages.
struct PostgresMessages {
    private var unread: [UInt8] = []
    private var isFirstUntyped: Bool

    /// `fromClient`: its first message has no type.
    init(fromClient: Bool) {
        isFirstUntyped = fromClient
    }

    /// The messages that are complete with these bytes.
    mutating func read(_ bytes: [UInt8]) -> [PostgresMessage] {
        unread += bytes
        var messages: [PostgresMessage] = []
        var start = 0
        while let length = length(from: start), unread.count - start >= length {
            messages.append(
                PostgresMessage(type: isFirstUntyped ? 0 : unread[start], bytes: Array(unread[start..<start + length])))
            isFirstUntyped = false
            start += length
        }
        unread.removeFirst(start)
        return messages
    }

    /// The length of the message that begins here, its type included.
    private func length(from start: Int) -> Int? {
        let type = isFirstUntyped ? 0 : 1
        guard unread.count >= start + type + 4 else { return nil }
        return type + unread[(start + type)..<(start + type + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
}
