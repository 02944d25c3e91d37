import BeanstalkProtocol
import NIOCore
import QueueCore
import Testing

@testable import Simulation

/// The commands do not depend on how the network cuts the bytes.
@Suite struct CommandDecoderPiecesTests {
    private static let maxJobSize = 1000

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `any cut gives the same commands`(seed: UInt64) {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let input = Self.conversation(of: 120, &random)
        let whole = Self.decode(input) { _ in input.count }
        #expect(whole.count >= 120)
        #expect(Self.decode(input) { _ in 1 } == whole)
        for longest in [2, 5, 40, 300, 3000] {
            #expect(Self.decode(input) { Int.random(in: 1...longest, using: &$0) } == whole, "up to \(longest)")
        }
    }

    /// Feeds `input` in pieces, and drops the bytes that were read before each next piece.
    private static func decode(_ input: [UInt8], by size: (inout SplitMix64) -> Int) -> [Command] {
        var random = SplitMix64(seed: UInt64(input.count))
        var decoder = CommandDecoder(maxJobSize: maxJobSize)
        var buffer = ByteBuffer()
        var commands: [Command] = []
        var rest = input[...]
        var mostKept = 0
        while !rest.isEmpty {
            let piece = rest.prefix(size(&random))
            rest = rest.dropFirst(piece.count)
            buffer.discardReadBytes()
            buffer.writeBytes(piece)
            commands += decoder.drain(&buffer)
            mostKept = max(mostKept, buffer.readableBytes)
        }
        #expect(mostKept < CommandDecoder.maxLineLength)
        #expect(decoder.isIdle)
        return commands
    }

    /// Valid and malformed commands, bodies of all kinds and noise. It ends between two commands.
    private static func conversation(of count: Int, _ random: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<count {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2:
                bytes += Array(lines.randomElement(using: &random)!.utf8) + Array("\r\n".utf8)
            case 3...5:
                let body = noise(upTo: 1000, &random)
                bytes += Array("put 1 2 3 \(body.count)\r\n".utf8) + body + Array("\r\n".utf8)
            case 6:
                let body = noise(upTo: 5000, &random) + Array(repeating: 0, count: maxJobSize + 1)
                bytes += Array("put 1 2 3 \(body.count)\r\n".utf8) + body + Array("zz".utf8)
            case 7:
                let body = noise(upTo: 50, &random)
                bytes += Array("put 1 2 3 \(body.count)\r\n".utf8) + body + Array("\n\n".utf8)
            case 8:
                bytes += noise(upTo: 600, &random) + Array("\n\r\n".utf8)
            default:
                let length = Int.random(in: 215...235, using: &random)
                bytes += Array(repeating: UInt8(ascii: "x"), count: length) + Array("\r\n".utf8)
            }
        }
        return bytes
    }

    /// Bytes with many line ends and NULs, but without `put `.
    private static func noise(upTo count: Int, _ random: inout SplitMix64) -> [UInt8] {
        let alphabet = Array("\r\n\r\n\0 abcq19-\u{7F}".utf8)
        return (0..<Int.random(in: 0...count, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
    }

    private static let lines = [
        "", "reserve", "reserve-with-timeout 5", "reserve-job 3", "delete 18446744073709551615", "release 1 2 3",
        "bury 1 2", "touch 1", "use a", "watch b", "ignore c", "peek 1", "peek-ready", "kick -1", "kick-job 2", "stats",
        "stats-job 1", "stats-tube default", "list-tubes", "list-tube-used", "list-tubes-watched", "pause-tube a 1",
        "quit", "nonsense", "reserved", "delete 99999999999999999999", "use -a", "put 1 2 3", "put 1 2 3 4x", "a\0b",
        "use a\n", "\r", "delete 1\r",
    ]
}
