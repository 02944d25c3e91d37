import BeanstalkProtocol
import NIOCore

@testable import QueueCore
@testable import Simulation

/// A client of the world whose commands come as bytes.
final class WireLink {
    let client: Client
    private var decoder = CommandDecoder(maxJobSize: 1000)
    private var buffer = ByteBuffer()

    init(_ client: Client) { self.client = client }

    /// The commands that the bytes complete.
    func receive(_ bytes: [UInt8]) -> [Command] {
        buffer.discardReadBytes()
        buffer.writeBytes(bytes)
        var commands: [Command] = []
        while let command = decoder.next(from: &buffer) { commands.append(command) }
        return commands
    }

    /// Reports a put whose body has not arrived, as the shell does.
    func reportPutLine(to world: World) {
        guard client.handler.unread.isEmpty, decoder.isReadingBody || decoder.isSwallowingBody else { return }
        let isTooBig = decoder.isSwallowingBody
        world.act { queue, _ in queue.putLineReceived(self.client.handler.id, isTooBig: isTooBig) }
    }
}
