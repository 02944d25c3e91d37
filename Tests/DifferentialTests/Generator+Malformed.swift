import TestKit

/// Malformed commands.
extension Generator {
    private static let lines: [String] = [
        "", " ", "x", "PUT 0 0 0 0", "Stats", " stats", "reserved", "reserve ", "reserve-job", "reserve-job ",
        "reserve-with-timeout", "reserve-with-timeoutx", "reserve-with-timeout -0", "reserve-with-timeout \t+0 ",
        "reserve-with-timeout 0x1", "reserve-with-timeout 18446744073709551616", "reserve-with-timeout -0 1", "statsx",
        "stats ", "stats-tube", "stats-tube ",
        "stats-tube  default",
        "stats-tube default ", "stats-tube none", "stats-job", "stats-job ", "stats-job x", "stats-job 1x",
        "list-tubesx", "list-tubes ", "list-tube-usedx", "list-tube", "list-tubes-watched ", "list-tubes-watchedx",
        "peek", "peek ", "peek x", "peek -1", "peek +1", "peek 18446744073709551615", "peek 18446744073709551616",
        "peek-ready ", "peek-readyx", "peek-delayed x", "peek-buriedx", "peek-", "peek\t1", "peek  999999999",
        "delete", "delete ", "delete x", "delete 999999999 ", "delete 999999999x", "delete 00999999999",
        "release", "release ", "release 999999999", "release 999999999 1", "release 999999999 1 ",
        "release 999999999 1 1x", "release 999999999 4294967296 0", "release 999999999 0 4294967296",
        "release 999999999 -1 0", "release 999999999   1   0", "bury", "bury 999999999", "bury 999999999 x",
        "bury 999999999 1 1", "bury 999999999 1 ", "touch", "touch ", "touch x", "touch 999999999 1", "kick", "kick ",
        "kick x", "kick -1", "kick +2", "kick 1x", "kick 4294967296", "kick 4294967297", "kick 2 2", "kick  1",
        "kick 99999999999999999999", "kick -", "kick \t1", "kick-job", "kick-job ", "kick-job x", "kick-job 999999999 ",
        "use", "use ", "use  a", "use a ", "use -a", "use a-", "use a b", "use a,b", "use a\tb", "watch", "watch ",
        "watch -", "watch a b", "watch \u{e9}", "ignore", "ignore ", "ignore none", "ignore -", "ignore a ",
        "pause-tube", "pause-tube ", "pause-tube default", "pause-tube default ", "pause-tube default x",
        "pause-tube default -1", "pause-tube default 0 ", "pause-tube default 0x", "pause-tubedefault 0",
        "pause-tube  default  0", "pause-tube none 0", "pause-tube -a 0", "pause-tube default 4294967296",
        "pause-tube 0", "pause-tube a,b 0", "pause-tube default,0", "quitx", "qui", "put", "put ", "put 0", "put 0 0",
        "put 0 0 0", "put 0 0 0 ", "put x 0 0 0", "put 0 x 0 0", "put 0 0 x 0", "put 0 0 0 x", "put -1 0 0 0",
        "put 4294967296 0 0 0", "put 0 4294967296 0 0", "put 0 0 4294967296 0", "put 0 0 0 4294967296", "put 0 0 0 -1",
        "put 0 0 0 1x", "put 0 0 0 1 ", "put 0 0 0 1 1",
    ]

    mutating func malformedMessage() -> Message {
        switch random.below(10) {
        case 0: long()
        case 1: putWithoutEnd()
        case 2..<5: mutated()
        default: odd()
        }
    }

    private mutating func odd() -> Message {
        let line = random.pick(Self.lines)
        // The line after a malformed put is read as a command.
        let body = line.hasPrefix("put ") && random.percent(50) ? "body\r\n" : ""
        return Message("\(line)\r\n\(body)")
    }

    /// Lines and names around the maximum length.
    private mutating func long() -> Message {
        // 225 and 449 are a listed difference.
        let size = random.pick([200, 222, 223, 224, 226, 227, 300, 448, 450, 600])
        let word = random.pick(["", "use ", "watch ", "ignore ", "stats-tube ", "peek ", "x "])
        if random.percent(50) { return Message("\(word)\(String(repeating: "n", count: size - 2 - word.count))\r\n") }
        let name = String(repeating: "n", count: random.pick([199, 200, 201, 202]))
        let line = random.pick(["use \(name)", "stats-tube \(name)", "pause-tube \(name) 4294967295"])
        return Message(line.count + 2 == 225 ? "\(line)0\r\n" : "\(line)\r\n")
    }

    /// A body that is longer or shorter than announced. Left-over bytes are read as commands.
    private mutating func putWithoutEnd() -> Message {
        let size = random.below(6)
        let extra = random.pick([-2, -1, 1, 2, 3])
        let body = String(repeating: "y", count: max(0, size + extra))
        // The next command loses its first bytes, or gets one too many.
        return Message("put 0 0 100 \(size)\r\n\(body)\r\n" + (extra < 2 ? "stats-tube default\r\n" : ""))
    }

    /// A command with one byte changed.
    private mutating func mutated() -> Message {
        var message = command()
        // The body may be read as commands, in which a lone `\r` is a listed difference.
        if message.put != nil { message = Message("put 1 0 100 5\r\nxxxxx\r\n") }
        guard case .bytes(var bytes) = message.pieces[0], !bytes.starts(with: "reserve".utf8) else { return message }
        // Neither a digit, which would make another id, nor a lone `\r`, which is a listed difference.
        let byte = random.pick([UInt8(ascii: " "), UInt8(ascii: "x"), 0, 0x0A, 0x09, 0xC3, UInt8(ascii: "-")])
        let end = bytes.firstIndex(of: 0x0D) ?? bytes.count
        let at = random.below(max(1, end))
        switch random.below(3) {
        case 0: bytes.insert(byte, at: at)
        case 1: bytes[at] = byte
        default: bytes.remove(at: at)
        }
        message.pieces[0] = .bytes(bytes)
        return message
    }
}
