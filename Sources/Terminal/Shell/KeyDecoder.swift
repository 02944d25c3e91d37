/// Keys out of the bytes that a terminal sends.
struct KeyDecoder {
    private var bytes: [UInt8] = []

    /// Takes bytes, and gives the keys that are complete.
    mutating func take(_ new: some Sequence<UInt8>) -> [Key] {
        bytes += new
        var keys: [Key] = []
        while let (key, count) = first() {
            bytes.removeFirst(count)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// To be called when nothing has come for a moment: an escape that begins nothing is the key.
    mutating func pause() -> [Key] {
        guard bytes.first == 0x1B else {
            // The beginning of a character that never came.
            bytes = []
            return []
        }
        let rest = bytes.dropFirst()
        bytes = []
        return [.escape] + (rest.isEmpty || rest.first == UInt8(ascii: "[") ? [] : take(rest))
    }

    var isWaiting: Bool { !bytes.isEmpty }

    /// The first key and its bytes; a sequence without a meaning is no key. nil: more bytes are needed.
    private func first() -> (Key?, Int)? {
        guard let byte = bytes.first else { return nil }
        switch byte {
        case 0x1B: return sequence()
        case 0x0D, 0x0A: return (.enter, 1)
        case 0x09: return (.tab, 1)
        case 0x7F, 0x08: return (.backspace, 1)
        case 0x01...0x1A: return (.control(Character(Unicode.Scalar(byte + 0x60))), 1)
        case ..<0x20: return (nil, 1)
        case ..<0x80: return (.character(Character(Unicode.Scalar(byte))), 1)
        default: return character(byte)
        }
    }

    private func character(_ byte: UInt8) -> (Key?, Int)? {
        let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
        guard bytes.count >= length else { return nil }
        guard let text = String(validating: bytes.prefix(length), as: UTF8.self), let first = text.first else {
            return (nil, 1)
        }
        return (.character(first), length)
    }

    /// `ESC [ ... letter`, `ESC O letter`.
    private func sequence() -> (Key?, Int)? {
        guard bytes.count > 1 else { return nil }
        if bytes[1] == UInt8(ascii: "O") {
            guard bytes.count > 2 else { return nil }
            return (Self.letters[bytes[2]], 3)
        }
        guard bytes[1] == UInt8(ascii: "[") else { return (.escape, 1) }
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            return bytes.count > 32 ? (nil, bytes.count) : nil
        }
        if bytes[end] == UInt8(ascii: "~") {
            let number = String(decoding: bytes[2..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            return (Self.numbers[number], end + 1)
        }
        return (Self.letters[bytes[end]], end + 1)
    }

    private static let letters: [UInt8: Key] = [
        UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right, UInt8(ascii: "D"): .left,
        UInt8(ascii: "H"): .home, UInt8(ascii: "F"): .end, UInt8(ascii: "M"): .enter,
    ]
    private static let numbers: [String: Key] = [
        "1": .home, "7": .home, "4": .end, "8": .end, "5": .pageUp, "6": .pageDown,
    ]
}
