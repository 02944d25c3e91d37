public import NIOCore
public import QueueCore

/// Decodes the commands of one connection (beanstalkd's doc/protocol.txt, Producer Commands).
///
/// Bytes may arrive in any pieces. An incomplete line stays unread in the caller's buffer, at most 223 bytes of it. Of
/// a body only the bytes that have arrived are kept, whatever size was announced. Between two calls the caller may drop
/// bytes that were read, but must leave the unread ones as they are.
public struct CommandDecoder: Sendable {
    /// The longest line in bytes, with its CRLF.
    public static let maxLineLength = 224

    private enum State {
        /// In a line. Its first `scanned` unread bytes hold no CRLF.
        case line(scanned: Int)
        /// After a put line. `collected` holds the body so far.
        case body(PutHeader)
        /// In the body of a put that is not taken. The command is given out after the body.
        case swallowingBody(left: Int, of: Command)
        /// In a line that was too long.
        case swallowingLine
    }

    private var state = State.line(scanned: 0)
    private var collected = Body()
    private let parser: CommandLineParser

    /// - Parameter maxJobSize: The largest body in bytes, without its CRLF (`-z`).
    public init(maxJobSize: Int) {
        precondition(maxJobSize >= 0)
        self.parser = CommandLineParser(maxJobSize: maxJobSize)
    }

    /// Whether the decoder is between two commands: it has seen no part of a line or body.
    public var isIdle: Bool {
        if case .line(scanned: 0) = state { true } else { false }
    }

    /// Whether a put line has arrived and its body has not.
    public var isReadingBody: Bool {
        if case .body = state { true } else { false }
    }

    /// Whether the decoder skips the body of a put that is not taken.
    public var isSwallowingBody: Bool {
        if case .swallowingBody = state { true } else { false }
    }

    /// The next command, or `nil` when it has not arrived completely. Call again until `nil`: there may be several.
    public mutating func next(from buffer: inout ByteBuffer) -> Command? {
        switch state {
        case .line(let scanned): line(from: &buffer, scanned: scanned)
        case .body(let header): body(from: &buffer, header)
        case .swallowingBody(let left, let command): swallowBody(from: &buffer, left: left, of: command)
        case .swallowingLine: swallowLine(from: &buffer)
        }
    }

    private mutating func line(from buffer: inout ByteBuffer, scanned: Int) -> Command? {
        let found = buffer.withUnsafeReadableBytes { bytes -> (parsed: ParsedLine, length: Int)? in
            let limit = min(bytes.count, Self.maxLineLength)
            guard let end = Self.firstCRLF(in: bytes, from: scanned, to: limit) else { return nil }
            return (parser.parse(UnsafeRawBufferPointer(rebasing: bytes[..<end])), end + 2)
        }
        guard let found else { return unfinishedLine(from: &buffer) }
        state = .line(scanned: 0)
        buffer.moveReaderIndex(forwardBy: found.length)
        switch found.parsed {
        case .command(let command):
            return command
        case .put(let header):
            return body(from: &buffer, header)
        case .putTooBig(let bodySize):
            return swallowBody(from: &buffer, left: bodySize + 2, of: .putTooBig)
        case .putWithBadOption(let bodySize):
            return swallowBody(from: &buffer, left: bodySize + 2, of: .malformedPut)
        }
    }

    private mutating func unfinishedLine(from buffer: inout ByteBuffer) -> Command? {
        guard buffer.readableBytes < Self.maxLineLength else { return swallowLine(from: &buffer) }
        state = .line(scanned: buffer.readableBytes)
        return nil
    }

    private mutating func swallowLine(from buffer: inout ByteBuffer) -> Command? {
        let (length, ended) = buffer.withUnsafeReadableBytes { bytes -> (Int, Bool) in
            if let end = Self.firstCRLF(in: bytes, from: 0, to: bytes.count) { return (end + 2, true) }
            // A final \r stays unread: its \n may follow.
            return (bytes.last == UInt8(ascii: "\r") ? bytes.count - 1 : bytes.count, false)
        }
        buffer.moveReaderIndex(forwardBy: length)
        state = ended ? .line(scanned: 0) : .swallowingLine
        return ended ? .malformed : nil
    }

    private mutating func swallowBody(from buffer: inout ByteBuffer, left: Int, of command: Command) -> Command? {
        let length = min(left, buffer.readableBytes)
        buffer.moveReaderIndex(forwardBy: length)
        guard length == left else {
            state = .swallowingBody(left: left - length, of: command)
            return nil
        }
        state = .line(scanned: 0)
        return command
    }

    private mutating func body(from buffer: inout ByteBuffer, _ header: PutHeader) -> Command? {
        guard let body = wholeBody(from: &buffer, size: header.size) else {
            state = .body(header)
            return nil
        }
        state = .line(scanned: 0)
        // The next command begins after these two bytes, whatever they are.
        guard buffer.readInteger(as: UInt16.self) == 0x0D0A else { return .putWithoutCRLF }
        let job = NewJob(priority: header.priority, delay: header.delay, ttr: header.ttr, body: body)
        return header.key.map { .putUnique(key: $0, job) } ?? .put(job)
    }

    /// Reads the body, up to the two bytes that end it. Returns `nil` until those two have arrived as well; `collected`
    /// then holds what has arrived.
    private mutating func wholeBody(from buffer: inout ByteBuffer, size: Int) -> Body? {
        if collected.isEmpty, buffer.readableBytes >= size + 2 { return buffer.readBytes(length: size) }
        collect(min(size - collected.count, buffer.readableBytes), of: size, from: &buffer)
        guard collected.count == size, buffer.readableBytes >= 2 else { return nil }
        defer { collected = Body() }
        return collected
    }

    /// Moves `length` bytes into `collected`. Its capacity doubles as bytes arrive and ends at exactly `size`, so a
    /// client that announces a gigabyte and sends nothing costs 64 KiB.
    private mutating func collect(_ length: Int, of size: Int, from buffer: inout ByteBuffer) {
        let needed = collected.count + length
        if needed > collected.capacity {
            collected.reserveCapacity(min(size, max(needed, 2 * collected.capacity, 64 * 1024)))
        }
        buffer.readWithUnsafeReadableBytes { bytes in
            collected.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            return length
        }
    }

    /// The index of the first CRLF. The first `scanned` bytes hold none, but the last of them may be its `\r`.
    private static func firstCRLF(in bytes: UnsafeRawBufferPointer, from scanned: Int, to limit: Int) -> Int? {
        var index = max(scanned, 1)
        while index < limit {
            if bytes[index] == UInt8(ascii: "\n"), bytes[index - 1] == UInt8(ascii: "\r") { return index - 1 }
            index += 1
        }
        return nil
    }
}
