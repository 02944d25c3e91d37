import BeanstalkProtocol
import NIOCore
import QueueCore

/// One input: a byte that chooses the limit of a job's size, a byte that chooses the pieces, and what a client sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard bytes.count > 2 else { return 0 }
    let sizes = [0, 1, 5, 40, 300, 65_535]
    let maxJobSize = sizes[Int(bytes[0]) % sizes.count]
    let longest = Int(bytes[1]) + 1
    let sent = bytes[2...]

    let whole = decode(sent, maxJobSize: maxJobSize) { _ in sent.count }
    var random = Steps(state: UInt64(longest))
    let pieces = decode(sent, maxJobSize: maxJobSize) { _ in random.next() % longest + 1 }
    let single = decode(sent, maxJobSize: maxJobSize) { _ in 1 }
    precondition(whole.map(\.command) == pieces.map(\.command), "pieces make a difference")
    // A command comes with its last byte, and nothing behind it is read.
    precondition(whole == single, "a command takes more than its bytes, or comes late")
    for (command, _) in whole.map({ ($0.command, $0.end) }) { checkReplies(to: command, maxJobSize: maxJobSize) }
    return 0
}

private struct Decoded: Equatable {
    var command: Command
    /// Bytes of the input up to its end.
    var end: Int
}

private func decode(_ sent: ArraySlice<UInt8>, maxJobSize: Int, by size: (Int) -> Int) -> [Decoded] {
    var decoder = CommandDecoder(maxJobSize: maxJobSize)
    // All bytes are in the buffer from the beginning. Those that have not arrived lie behind its end.
    var buffer = ByteBuffer(bytes: sent)
    var arrived = 0
    var decoded: [Decoded] = []
    while arrived < sent.count {
        arrived = min(arrived + size(sent.count), sent.count)
        buffer.moveWriterIndex(to: arrived)
        while let command = decoder.next(from: &buffer) {
            decoded.append(Decoded(command: command, end: buffer.readerIndex))
        }
        // Whatever the size of a body, only part of a line stays in the buffer.
        precondition(buffer.readableBytes < CommandDecoder.maxLineLength, "bytes are left unread")
    }
    return decoded
}

/// Encodes replies that a client may get to this command.
private func checkReplies(to command: Command, maxJobSize: Int) {
    switch command {
    case .put(let job):
        let (ttr, body) = (job.ttr, job.body)
        precondition(body.count <= maxJobSize, "a body over the limit")
        for (word, reply) in [("RESERVED", Reply.reserved(UInt64(ttr), body)), ("FOUND", .found(UInt64(ttr), body))] {
            let expected = Array("\(word) \(ttr) \(body.count)\r\n".utf8) + body + [13, 10]
            precondition(encode(reply) == expected, "a job comes out otherwise than it went in")
        }
    case .use(let tube), .watch(let tube), .ignore(let tube), .statsTube(let tube), .pauseTube(let tube, _):
        precondition(TubeName.isValid(tube.description.utf8), "a name that is none")
        precondition(encode(.using(tube)) == Array("USING \(tube)\r\n".utf8), "a tube has another name")
        checkDocument(encode(.tubes([tube, .default])))
        checkDocument(encode(.tube(TubeStats(name: tube))))
    case .delete(let id), .peek(let id), .touch(let id), .reserveJob(let id), .kickJob(let id), .statsJob(let id):
        precondition(encode(.inserted(id)) == Array("INSERTED \(id)\r\n".utf8), "an id has other digits")
    default: break
    }
}

/// `OK <bytes>`, so many bytes, and a line end.
private func checkDocument(_ bytes: [UInt8]) {
    guard let end = bytes.firstIndex(of: 13), bytes.starts(with: Array("OK ".utf8)),
        let count = Int(String(decoding: bytes[3..<end], as: UTF8.self))
    else { preconditionFailure("no document") }
    precondition(bytes.count == end + 2 + count + 2 && bytes.suffix(2) == [13, 10], "a document of another size")
}

private func encode(_ reply: Reply) -> [UInt8] {
    var buffer = ByteBuffer()
    ReplyEncoder().encode(reply, facts: noFacts(), into: &buffer)
    return Array(buffer.readableBytesView)
}

/// Only the body of `stats` has process facts.
private func noFacts() -> ProcessFacts { preconditionFailure("not asked for") }

/// Random numbers that follow from the input.
private struct Steps {
    var state: UInt64

    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 40)
    }
}
