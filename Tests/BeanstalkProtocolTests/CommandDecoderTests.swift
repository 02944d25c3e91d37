import BeanstalkProtocol
import NIOCore
import QueueCore
import Testing

@testable import Simulation

/// Where lines and bodies end (beanstalkd's doc/protocol.txt, Producer Commands).
@Suite struct CommandDecoderTests {
    // MARK: Lines

    @Test func `commands come in the order they were sent`() {
        #expect(
            decode("use a\r\nput 1 2 3 5\r\nhello\r\nreserve\r\ndelete 1\r\n") == [
                .use("a"), .put(priority: 1, delay: 2, ttr: 3, body: Body("hello")), .reserve, .delete(1),
            ])
    }

    @Test func `a line ends with CRLF and nothing else`() {
        #expect(decode("use foo\n") == [])
        #expect(decode("use foo\n\r\n") == [.malformed])
        #expect(decode("use foo\r") == [])
        #expect(decode("use fo\ro\r\n") == [.malformed])
        #expect(decode("reserve\n\rreserve\r\n") == [.malformed])
        #expect(decode("\r\n\r\r\n") == [.unknown, .unknown])
    }

    @Test func `a NUL spoils any line`() {
        #expect(decode("reserve\0\r\n") == [.malformed])
        #expect(decode("nothing\0known\r\n") == [.malformed])
        #expect(decode("\0\r\n") == [.malformed])
        #expect(decode("quit\0\r\n") == [.malformed])
        #expect(decode("kick 1\0\r\n") == [.malformed])
        #expect(decode("put 0 0 1 70000 \0\r\nquit\r\n") == [.malformed, .quit])
    }

    @Test(arguments: [222, 223, 224, 225, 226, 500, 100_000])
    func `a line of more than 224 bytes is malformed, once`(length: Int) {
        // `x` alone would be an unknown command, which is another reply.
        let line = String(repeating: "x", count: length - 2) + "\r\n"
        #expect(decode(line + "reserve\r\n") == [length <= 224 ? .unknown : .malformed, .reserve])
    }

    @Test(arguments: [223, 224, 225, 226, 300])
    func `a long line that comes byte by byte`(length: Int) {
        var decoder = CommandDecoder(maxJobSize: 10)
        var buffer = ByteBuffer()
        for _ in 0..<length - 2 {
            #expect(decoder.feed("x", into: &buffer) == [])
            #expect(buffer.readableBytes <= 224)
        }
        #expect(decoder.feed("\r", into: &buffer) == [])
        #expect(decoder.feed("\n", into: &buffer) == [length <= 224 ? .unknown : .malformed])
        #expect(decoder.feed("quit\r\n", into: &buffer) == [.quit])
        #expect(buffer.readableBytes == 0)
    }

    @Test func `what is swallowed of a long line is not kept`() {
        var decoder = CommandDecoder(maxJobSize: 10)
        var buffer = ByteBuffer()
        #expect(decoder.feed(String(repeating: "x", count: 224), into: &buffer) == [])
        #expect(buffer.readableBytes == 0)
        #expect(decoder.feed("\n\r\r", into: &buffer) == [])
        #expect(buffer.readableBytes == 1)
        #expect(decoder.feed("x\r", into: &buffer) == [])
        #expect(decoder.feed("\nreserve\r\n", into: &buffer) == [.malformed, .reserve])
    }

    // MARK: Bodies

    @Test func `a body may hold anything`() {
        #expect(decode("put 0 0 1 0\r\n\r\n") == [.put(priority: 0, delay: 0, ttr: 1, body: [])])
        #expect(
            decode("put 0 0 0 8\r\n\r\nq\0it\r\n\r\n")
                == [.put(priority: 0, delay: 0, ttr: 0, body: Body("\r\nq\0it\r\n"))])
    }

    @Test func `numbers of a put`() {
        #expect(
            decode("put 4294967295 4294967295 4294967295 1\r\nx\r\n")
                == [.put(priority: .max, delay: .max, ttr: .max, body: Body("x"))])
        #expect(decode("put  0  0  01  01\r\nx\r\n") == [.put(priority: 0, delay: 0, ttr: 1, body: Body("x"))])
    }

    @Test func `a malformed put has no body`() {
        #expect(decode("put 0 0 1 1x\r\nx\r\n") == [.malformedPut, .unknown])
        #expect(decode("put 0 0 1 1 \r\nreserve\r\n") == [.malformedPut, .reserve])
        #expect(decode("put 0 0 -1 4\r\nquit\r\n") == [.malformed, .quit])
    }

    @Test func `a body without CRLF takes its size and two bytes`() {
        #expect(decode("put 0 0 10 3\r\nabcde") == [.putWithoutCRLF])
        #expect(decode("put 0 0 10 3\r\nabcdequit\r\n") == [.putWithoutCRLF, .quit])
        #expect(decode("put 0 0 10 3\r\nabc\n\rquit\r\n") == [.putWithoutCRLF, .quit])
        #expect(decode("put 0 0 10 3\r\nabcd\r\nquit\r\n") == [.putWithoutCRLF, .unknown])
    }

    @Test func `a body of the limit is allowed, one byte more is swallowed`() {
        let full = String(repeating: "b", count: 10)
        #expect(
            decode("put 0 0 1 10\r\n\(full)\r\n", maxJobSize: 10)
                == [.put(priority: 0, delay: 0, ttr: 1, body: Body(full))])
        #expect(decode("put 0 0 1 11\r\nx\(full)\r\nquit\r\n", maxJobSize: 10) == [.putTooBig, .quit])
        #expect(
            decode("put 0 0 1 1\r\nx\r\nput 0 0 1 0\r\n\r\n", maxJobSize: 0)
                == [.putTooBig, .put(priority: 0, delay: 0, ttr: 1, body: [])])
    }

    @Test func `too big comes before trailing garbage, and before a missing CRLF`() {
        #expect(decode("put 0 0 1 4x\r\nquit\r\nquit\r\n", maxJobSize: 3) == [.putTooBig, .quit])
        #expect(decode("put 0 0 1 4 5 6\r\nquit\r\nquit\r\n", maxJobSize: 3) == [.putTooBig, .quit])
        #expect(decode("put 0 0 1 4\r\nabcdefquit\r\n", maxJobSize: 3) == [.putTooBig, .quit])
    }

    @Test func `the biggest body that can be announced is swallowed to the byte`() {
        var decoder = CommandDecoder(maxJobSize: 1_073_741_824)
        var line = ByteBuffer(string: "put 0 0 1 4294967295\r\n")
        #expect(decoder.next(from: &line) == nil)
        var left = 4_294_967_297
        var chunk = ByteBuffer(repeating: 0, count: 1 << 24)
        while left > chunk.writerIndex {
            chunk.moveReaderIndex(to: 0)
            #expect(decoder.next(from: &chunk) == nil)
            #expect(chunk.readableBytes == 0)
            left -= chunk.writerIndex
        }
        var last = ByteBuffer(repeating: 0, count: left - 1)
        #expect(decoder.next(from: &last) == nil)
        last.writeString("\nreserve\r\n")
        #expect(decoder.drain(&last) == [.putTooBig, .reserve])
    }

    @Test(arguments: [1, 1000, 65536, 65537, 200_000, 300_000])
    func `a body in pieces takes no more room than its size`(piece: Int) throws {
        let size = 300_000
        var decoder = CommandDecoder(maxJobSize: 1_073_741_824)
        var buffer = ByteBuffer(string: "put 1 2 3 \(size)\r\n")
        var body: Body = []
        for start in stride(from: 0, to: size, by: piece) {
            let next = (start..<min(size, start + piece)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            body += next
            buffer.writeBytes(next)
            #expect(decoder.next(from: &buffer) == nil)
            #expect(buffer.readableBytes == 0)
            buffer.clear()
        }
        #expect(decoder.feed("\r", into: &buffer) == [])
        #expect(buffer.readableBytes == 1)
        buffer.writeString("\n")
        guard case .put(let job)? = decoder.next(from: &buffer) else { throw Unexpected() }
        #expect(job == NewJob(priority: 1, delay: 2, ttr: 3, body: body))
        // malloc rounds up; doubling would not stay under a page.
        #expect(job.body.capacity < size + 4096)
        #expect(
            decoder.feed("put 0 0 1 2\r\nok\r\n", into: &buffer)
                == [.put(priority: 0, delay: 0, ttr: 1, body: Body("ok"))])
    }

    // MARK: Idleness

    @Test func `idle between commands only`() {
        var decoder = CommandDecoder(maxJobSize: 10)
        var buffer = ByteBuffer()
        #expect(decoder.isIdle)
        for (input, idle) in [
            ("res", false), ("erve\r\n", true), ("put 0 0 1 2\r\n", false), ("ok\r", false), ("\n", true),
            ("put 0 0 1 11\r\n", false), ("0123456789a\r\n", true), (String(repeating: "x", count: 300), false),
            ("\r\n", true),
        ] {
            _ = decoder.feed(input, into: &buffer)
            #expect(decoder.isIdle == idle, "after \(input)")
        }
    }

    private struct Unexpected: Error {}

    // MARK: Tuber's options

    private func unique(_ key: String, _ body: String) -> Command {
        .putUnique(key: key, priority: 1, delay: 2, ttr: 3, body: Body(body))
    }

    @Test(arguments: ["a", "A-z0+/;.$_()", String(repeating: "k", count: 200), "idp", "7"])
    func `a put with a key`(key: String) {
        #expect(decode("put 1 2 3 1 idp:\(key)\r\nx\r\nquit\r\n") == [unique(key, "x"), .quit])
        #expect(decode("put 1 2 3 0   idp:\(key)\r\n\r\n") == [unique(key, "")])
    }

    /// The client has sent a body, which must not be read as commands.
    @Test(arguments: [
        "idp:", "idp:-a", "idp:a:300", "idp:a b", "idp:a ", "idp:a grp:b", "idp:\u{e4}", "grp:a", "aft:a", "con:a",
        "con:a:3",
    ])
    func `an option of tuber's that is not known here`(option: String) {
        #expect(decode("put 1 2 3 4 \(option)\r\nquit\r\nstats\r\n") == [.malformedPut, .stats])
    }

    @Test(arguments: ["idp", "IDP:a", "key:a", "0", "x"])
    func `what nobody knows is answered as beanstalkd does`(option: String) {
        #expect(decode("put 1 2 3 4 \(option)\r\nstats\r\n") == [.malformedPut, .stats])
        #expect(decode("put 1 2 3 4idp:a\r\nstats\r\n") == [.malformedPut, .stats])
    }

    @Test func `a put with a key that is too big`() {
        #expect(decode("put 1 2 3 4 idp:a\r\nquit\r\nstats\r\n", maxJobSize: 3) == [.putTooBig, .stats])
    }
}
