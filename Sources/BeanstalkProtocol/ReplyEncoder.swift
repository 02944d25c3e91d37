public import NIOCore
public import QueueCore

/// Encodes replies, byte for byte as beanstalkd.
public struct ReplyEncoder: Sendable {
    public init() {}

    /// Appends `reply` to `buffer`. `facts` is evaluated only for the reply to `stats`.
    public func encode(_ reply: Reply, facts: @autoclosure () -> ProcessFacts, into buffer: inout ByteBuffer) {
        switch reply {
        case .inserted(let id): buffer.writeLine("INSERTED ", id)
        case .insertedBefore(let id, let state):
            buffer.writeStaticString("INSERTED ")
            buffer.writeDecimal(id)
            buffer.writeString(" \(state.rawValue.uppercased())\r\n")
        case .using(let tube):
            buffer.writeStaticString("USING ")
            buffer.writeString(tube.description)
            buffer.writeStaticString("\r\n")
        case .reserved(let id, let body): writeJob("RESERVED ", id, body, into: &buffer)
        case .found(let id, let body): writeJob("FOUND ", id, body, into: &buffer)
        case .watching(let count): buffer.writeLine("WATCHING ", UInt64(count))
        case .kicked(let count): buffer.writeLine("KICKED ", UInt64(count))
        case .tubes(let names): writeOK(StatsEncoder.list(names), into: &buffer)
        case .job(let stats): writeOK(StatsEncoder.job(stats), into: &buffer)
        case .tube(let stats): writeOK(StatsEncoder.tube(stats), into: &buffer)
        case .broker(let stats): writeOK(StatsEncoder.broker(stats, facts()), into: &buffer)
        case .kickedJob: buffer.writeStaticString("KICKED\r\n")
        case .deleted: buffer.writeStaticString("DELETED\r\n")
        case .released: buffer.writeStaticString("RELEASED\r\n")
        case .buried: buffer.writeStaticString("BURIED\r\n")
        case .touched: buffer.writeStaticString("TOUCHED\r\n")
        case .paused: buffer.writeStaticString("PAUSED\r\n")
        case .timedOut: buffer.writeStaticString("TIMED_OUT\r\n")
        case .deadlineSoon: buffer.writeStaticString("DEADLINE_SOON\r\n")
        case .notFound: buffer.writeStaticString("NOT_FOUND\r\n")
        case .notIgnored: buffer.writeStaticString("NOT_IGNORED\r\n")
        case .jobTooBig: buffer.writeStaticString("JOB_TOO_BIG\r\n")
        case .expectedCRLF: buffer.writeStaticString("EXPECTED_CRLF\r\n")
        case .draining: buffer.writeStaticString("DRAINING\r\n")
        case .outOfMemory: buffer.writeStaticString("OUT_OF_MEMORY\r\n")
        case .internalError: buffer.writeStaticString("INTERNAL_ERROR\r\n")
        case .badFormat: buffer.writeStaticString("BAD_FORMAT\r\n")
        case .unknownCommand: buffer.writeStaticString("UNKNOWN_COMMAND\r\n")
        }
    }

    private func writeJob(_ word: StaticString, _ id: JobID, _ body: Body, into buffer: inout ByteBuffer) {
        // Reserves room for all parts first, so that a large body is not copied again to make room for its CRLF.
        buffer.reserveCapacity(minimumWritableBytes: body.count + 64)
        buffer.writeStaticString(word)
        buffer.writeDecimal(id)
        buffer.writeLine(" ", UInt64(body.count))
        buffer.writeBytes(body)
        buffer.writeStaticString("\r\n")
    }

    private func writeOK(_ text: String, into buffer: inout ByteBuffer) {
        buffer.writeLine("OK ", UInt64(text.utf8.count))
        buffer.writeString(text)
        buffer.writeStaticString("\r\n")
    }
}

extension ByteBuffer {
    fileprivate mutating func writeLine(_ word: StaticString, _ value: UInt64) {
        writeStaticString(word)
        writeDecimal(value)
        writeStaticString("\r\n")
    }

    /// Appends decimal digits without making a String.
    fileprivate mutating func writeDecimal(_ value: UInt64) {
        var count = 1
        var left = value / 10
        while left > 0 {
            count += 1
            left /= 10
        }
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            var left = value
            for index in (0..<count).reversed() {
                room[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left % 10)
                left /= 10
            }
            return count
        }
    }
}
