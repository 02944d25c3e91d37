import BeanstalkProtocol
import NIOCore
import QueueCore

/// The commands in `input`, fed at once.
func decode(_ input: String, maxJobSize: Int = 65535) -> [Command] {
    var decoder = CommandDecoder(maxJobSize: maxJobSize)
    var buffer = ByteBuffer(string: input)
    return decoder.drain(&buffer)
}

extension CommandDecoder {
    /// The commands that are complete.
    mutating func drain(_ buffer: inout ByteBuffer) -> [Command] {
        var commands: [Command] = []
        while let command = next(from: &buffer) { commands.append(command) }
        return commands
    }

    /// The commands that are complete when `input` has arrived too.
    mutating func feed(_ input: String, into buffer: inout ByteBuffer) -> [Command] {
        buffer.writeString(input)
        return drain(&buffer)
    }
}

extension Body {
    init(_ text: String) { self = Array(text.utf8) }
}
