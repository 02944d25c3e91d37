import QueueCore

/// The meaning of a command line.
enum ParsedLine {
    case command(Command)
    /// A put. Its body follows.
    case put(PutHeader)
    /// A put whose body is above the limit. `bodySize` bytes and a CRLF follow, which are skipped.
    case putTooBig(bodySize: Int)
    /// A put with an option of tuber (a fork of beanstalkd) that is not supported. Its body follows.
    case putWithBadOption(bodySize: Int)
}

/// The numbers of a `put` line.
struct PutHeader {
    var priority: UInt32
    var delay: UInt32
    var ttr: UInt32
    /// The size of the body in bytes, without its CRLF.
    var size: Int
    var key: String?
}

/// Parses one line, without its CRLF.
///
/// As in beanstalkd, a command is recognised by its prefix, so `reserved` is a malformed `reserve`, not an unknown
/// command. Where one prefix begins with another (`reserve-job ` and `reserve`), the longer one is tried first.
struct CommandLineParser {
    let maxJobSize: Int

    func parse(_ line: UnsafeRawBufferPointer) -> ParsedLine {
        guard !hasNUL(line) else { return .command(.malformed) }
        var cursor = LineCursor(line)
        // The first letter leaves few prefixes to compare.
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
        // The size is checked before the end of the line, as in beanstalkd: `put 0 0 1 99999999x` skips a body.
        guard Int(size) <= maxJobSize else { return .putTooBig(bodySize: Int(size)) }
        var header = PutHeader(priority: priority, delay: delay, ttr: ttr, size: Int(size))
        return cursor.isAtEnd ? .put(header) : options(&cursor, &header)
    }

    /// Tuber's options are words after the size. `idp:` with a key is supported. A client that sends another option of
    /// tuber sends a body after it; any other text is malformed, and no body follows.
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

    /// The number is read as in beanstalkd 1.12: white space and a sign may precede it, anything may follow it, and a
    /// negative number means no timeout. A number above `Int32.max` is malformed, as in 1.13; 1.12 takes its low 32
    /// bits.
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
        // As in beanstalkd, `quitting` is `quit`.
        return cursor.skip("quit") ? .quit : .unknown
    }

    private func bury(_ cursor: inout LineCursor) -> Command {
        guard let id = cursor.u64(), let priority = cursor.u32(), cursor.isAtEnd else { return .malformed }
        return .bury(id, priority: priority)
    }

    /// In this command alone a number follows the name of the tube, and no space is needed before the name.
    private func pauseTube(_ cursor: inout LineCursor) -> Command {
        cursor.skipSpaces()
        // The name ends at the first byte that no name contains. `-` is tested by itself: a name may not begin with it.
        let name = cursor.read { TubeName.isValid(CollectionOfOne($0)) || $0 == UInt8(ascii: "-") }
        guard !name.isEmpty, let seconds = cursor.u32(), cursor.isAtEnd else { return .malformed }
        guard TubeName.isValid(name) else { return .malformedPauseTube }
        return .pauseTube(TubeName(unchecked: String(decoding: name, as: UTF8.self)), seconds: seconds)
    }

    /// A command with a job id as its only argument.
    private func job(_ cursor: inout LineCursor, _ make: (JobID) -> Command) -> Command {
        guard let id = cursor.u64(), cursor.isAtEnd else { return .malformed }
        return make(id)
    }

    /// A command whose tube name is the whole rest of the line, with spaces.
    private func tube(_ cursor: LineCursor, _ make: (TubeName) -> Command) -> Command {
        let name = cursor.rest
        guard TubeName.isValid(name) else { return .malformed }
        return make(TubeName(unchecked: String(decoding: name, as: UTF8.self)))
    }

    /// A command without arguments.
    private func bare(_ cursor: LineCursor, _ command: Command) -> Command {
        cursor.isAtEnd ? command : .malformed
    }

    /// Without an early exit, so that the compiler can vectorize the loop.
    private func hasNUL(_ line: UnsafeRawBufferPointer) -> Bool {
        var found = false
        for byte in line { found = found || byte == 0 }
        return found
    }
}
