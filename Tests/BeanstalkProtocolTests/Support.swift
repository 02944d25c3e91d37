import BeanstalkProtocol
import NIOCore
public import QueueCore

/// Every command in `input`, fed at once.
func decode(_ input: String, maxJobSize: Int = 65535) -> [Command] {
    var decoder = CommandDecoder(maxJobSize: maxJobSize)
    var buffer = ByteBuffer(string: input)
    return decoder.drain(&buffer)
}

extension CommandDecoder {
    /// Every command that is complete.
    mutating func drain(_ buffer: inout ByteBuffer) -> [Command] {
        var commands: [Command] = []
        while let command = next(from: &buffer) { commands.append(command) }
        return commands
    }

    /// Every command that is complete once `input` has arrived too.
    mutating func feed(_ input: String, into buffer: inout ByteBuffer) -> [Command] {
        buffer.writeString(input)
        return drain(&buffer)
    }
}

extension Body {
    init(_ text: String) { self = Array(text.utf8) }
}

extension TubeName: ExpressibleByStringLiteral {
    public init(stringLiteral name: String) { self.init(unchecked: name) }
}

/// Random numbers that a printed seed brings back.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
