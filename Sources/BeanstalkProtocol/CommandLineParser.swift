import QueueCore

/// What a command line turned out to be.
enum ParsedLine {
    case command(Command)
    /// A put whose body comes next.
    case put(PutHeader)
    /// A put whose body is over the limit: `bodySize` bytes and a CRLF come next, to be thrown away.
    case putTooBig(bodySize: Int)
    /// A put with an option of tuber's that is not known here: its body comes next, as in tuber.
    case putWithBadOption(bodySize: Int)
}

/// The numbers of a `put` line.
struct PutHeader {
    var priority: UInt32
    var delay: UInt32
    var ttr: UInt32
    /// Bytes of body, without its CRLF.
    var size: Int
    var key: String?
}

/// Turns one line, without its CRLF, into a command (protocol, 1.1 and 1.2).
///
/// A command is recognised by its prefix, so `reserved` is a badly written `reserve`, not an unknown command. Where
/// one prefix starts another (`reserve-job ` and `reserve`), the longer is tried first.
struct CommandLineParser {
    let maxJobSize: Int

    func parse(_ line: UnsafeRawBufferPointer) -> ParsedLine {
        guard !hasNUL(line) else { return .command(.malformed) }
        var cursor = LineCursor(line)
        // The first letter decides which few prefixes are worth comparing.
        switch line.first {
        case UInt8(ascii: "p"):
            return cursor.skip("put ") ? put(&cursor) : .command(peekOrPause(&cursor))
        case UInt8(ascii: "r"):
            return .command(reserveOrRelease(&cursor))
        case UInt8(ascii: "d"):
            return .command(cursor.skip("delete ") ? job(&cursor) { .delete($0) } : .unknown)
        case UInt8(ascii: "s"):
            return .command(stats(&cursor))
        case UInt8(ascii: "l"):
            return .command(list(&cursor))
        default:
            return .command(other(&cursor))
        }
    }

    private func put(_ cursor: inout LineCursor) -> ParsedLine {
        guard let priority = cursor.u32(), let delay = cursor.u32(), let ttr = cursor.u32(), let size = cursor.u32()
        else { return .command(.malformed) }
        // The size is judged before the end of the line is: `put 0 0 1 99999999x` has its body swallowed.
        guard Int(size) <= maxJobSize else { return .putTooBig(bodySize: Int(size)) }
        var header = PutHeader(priority: priority, delay: delay, ttr: ttr, size: Int(size))
        return cursor.isAtEnd ? .put(header) : options(&cursor, &header)
    }

    /// Tuber's options are words after the size. Of these, `idp:` with a key is done; who sends another one sends a
    /// body behind it, while beanstalkd's clients have none to send after `BAD_FORMAT`.
    private func options(_ cursor: inout LineCursor, _ header: inout PutHeader) -> ParsedLine {
        guard cursor.skip(UInt8(ascii: " ")) else { return .command(.malformedPut) }
        cursor.skipSpaces()
        if cursor.skip("idp:") {
            guard TubeName.isValid(cursor.rest) else { return .putWithBadOption(bodySize: header.size) }
            header.key = String(decoding: cursor.rest, as: UTF8.self)
            return .put(header)
        }
        let isKnownToTuber = cursor.skip("grp:") || cursor.skip("aft:") || cursor.skip("con:")
        return isKnownToTuber ? .putWithBadOption(bodySize: header.size) : .command(.malformedPut)
    }

    private func reserveOrRelease(_ cursor: inout LineCursor) -> Command {
        if cursor.skip("reserve-with-timeout ") {
            return reserveWithTimeout(&cursor)
        }
        if cursor.skip("reserve-job ") { return job(&cursor) { .reserveJob($0) } }
        if cursor.skip("reserve") { return bare(cursor, .reserve) }
        guard cursor.skip("release ") else { return .unknown }
        guard let id = cursor.u64(), let priority = cursor.u32(), let delay = cursor.u32(), cursor.isAtEnd
        else { return .malformed }
        return .release(id, priority: priority, delay: delay)
    }

    /// The number is read as beanstalkd 1.12 does it: white space and a sign may come before it, anything behind, and a
    /// negative one means no timeout. One that is no int is refused as 1.13 does it; 1.12 takes its last 32 bits.
    private func reserveWithTimeout(_ cursor: inout LineCursor) -> Command {
        guard let number = cursor.strtol(), number <= Int32.max else { return .malformed }
        return .reserveWithTimeout(seconds: number < 0 ? nil : UInt32(number))
    }

    private func peekOrPause(_ cursor: inout LineCursor) -> Command {
        if cursor.skip("peek ") { return job(&cursor) { .peek($0) } }
        if cursor.skip("peek-ready") { return bare(cursor, .peekReady) }
        if cursor.skip("peek-delayed") { return bare(cursor, .peekDelayed) }
        if cursor.skip("peek-buried") { return bare(cursor, .peekBuried) }
        return cursor.skip("pause-tube") ? pauseTube(&cursor) : .unknown
    }

    private func stats(_ cursor: inout LineCursor) -> Command {
        if cursor.skip("stats-job ") { return job(&cursor) { .statsJob($0) } }
        if cursor.skip("stats-tube ") { return tube(cursor) { .statsTube($0) } }
        return cursor.skip("stats") ? bare(cursor, .stats) : .unknown
    }

    private func list(_ cursor: inout LineCursor) -> Command {
        if cursor.skip("list-tubes-watched") { return bare(cursor, .listTubesWatched) }
        if cursor.skip("list-tube-used") { return bare(cursor, .listTubeUsed) }
        return cursor.skip("list-tubes") ? bare(cursor, .listTubes) : .unknown
    }

    private func other(_ cursor: inout LineCursor) -> Command {
        if cursor.skip("bury ") { return bury(&cursor) }
        if cursor.skip("touch ") { return job(&cursor) { .touch($0) } }
        if cursor.skip("use ") { return tube(cursor) { .use($0) } }
        if cursor.skip("watch ") { return tube(cursor) { .watch($0) } }
        if cursor.skip("ignore ") { return tube(cursor) { .ignore($0) } }
        if cursor.skip("kick ") {
            return cursor.strtoul().map { .kick(bound: UInt32(truncatingIfNeeded: $0)) } ?? .malformed
        }
        if cursor.skip("kick-job ") { return job(&cursor) { .kickJob($0) } }
        // `quitting` quits too.
        return cursor.skip("quit") ? .quit : .unknown
    }

    private func bury(_ cursor: inout LineCursor) -> Command {
        guard let id = cursor.u64(), let priority = cursor.u32(), cursor.isAtEnd else { return .malformed }
        return .bury(id, priority: priority)
    }

    /// The one command whose tube name is followed by something, and needs no space before it.
    private func pauseTube(_ cursor: inout LineCursor) -> Command {
        cursor.skipSpaces()
        // The name ends where its alphabet does: all that may be a name alone, and the `-` that may not come first.
        let name = cursor.read { TubeName.isValid(CollectionOfOne($0)) || $0 == UInt8(ascii: "-") }
        guard !name.isEmpty, let seconds = cursor.u32(), cursor.isAtEnd else { return .malformed }
        guard TubeName.isValid(name) else { return .malformedPauseTube }
        return .pauseTube(TubeName(unchecked: String(decoding: name, as: UTF8.self)), seconds: seconds)
    }

    /// A command that ends with a job id.
    private func job(_ cursor: inout LineCursor, _ make: (JobID) -> Command) -> Command {
        guard let id = cursor.u64(), cursor.isAtEnd else { return .malformed }
        return make(id)
    }

    /// A command whose tube name is all the rest of the line, spaces included.
    private func tube(_ cursor: LineCursor, _ make: (TubeName) -> Command) -> Command {
        let name = cursor.rest
        guard TubeName.isValid(name) else { return .malformed }
        return make(TubeName(unchecked: String(decoding: name, as: UTF8.self)))
    }

    /// A command that takes nothing.
    private func bare(_ cursor: LineCursor, _ command: Command) -> Command {
        cursor.isAtEnd ? command : .malformed
    }

    /// Without an early exit, so that the compiler can compare many bytes at a time.
    private func hasNUL(_ line: UnsafeRawBufferPointer) -> Bool {
        var found = false
        for byte in line { found = found || byte == 0 }
        return found
    }
}
