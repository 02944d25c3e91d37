import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A blocking beanstalkd connection. Every wait has a deadline.
///
/// It knows no commands. A test sends text and names the lines that must come back, so it reads as a transcript.
public final class WireClient {
    /// Seconds that a read or a blocked write may take.
    public var timeout = patience

    private var descriptor: Int32
    private var received: [UInt8] = []
    private var consumed = 0
    private var atEnd = false
    private var lastSent = ""
    private let server: BrokerProcess?

    public init(address: ServerAddress, server: BrokerProcess? = nil) throws {
        self.server = server
        descriptor = try address.connect()
    }

    deinit {
        close()
    }

    // MARK: Sending

    public func send(_ text: String, fileID: String = #fileID, line: Int = #line) throws {
        try send(Array(text.utf8), fileID: fileID, line: line)
    }

    /// Sends all bytes and reads replies meanwhile, so that neither side blocks the other.
    public func send(_ bytes: [UInt8], fileID: String = #fileID, line: Int = #line) throws {
        lastSent = String(decoding: bytes.prefix(300), as: UTF8.self)
        let deadline = Deadline(after: timeout)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                systemSend(descriptor, buffer.baseAddress! + sent, buffer.count - sent)
            }
            if count > 0 {
                sent += count
                continue
            }
            guard count < 0, errno == EAGAIN || errno == EINTR else {
                throw mismatch("send failed: \(String(cString: strerror(errno)))", fileID, line)
            }
            let events = atEnd ? POLLOUT : POLLIN | POLLOUT
            let ready = try wait(for: Int16(events), until: deadline)
            guard ready != 0 else {
                throw mismatch("the server took only \(sent) of \(bytes.count) bytes", fileID, line)
            }
            if ready & Int16(POLLIN) != 0 {
                try receiveMore()
            }
        }
    }

    // MARK: Expecting

    /// Reads one line, which must equal `expected`.
    public func expect(_ expected: String, fileID: String = #fileID, line: Int = #line) throws {
        let actual = try readLine(fileID: fileID, line: line)
        guard actual == expected else {
            throw mismatch("expected \(quoted(expected)), got \(quoted(actual))", fileID, line)
        }
    }

    /// Reads one line, which must begin with `prefix`, and returns the rest of it.
    @discardableResult
    public func expectPrefix(_ prefix: String, fileID: String = #fileID, line: Int = #line) throws -> String {
        let actual = try readLine(fileID: fileID, line: line)
        guard actual.hasPrefix(prefix) else {
            throw mismatch("expected \(quoted(prefix))..., got \(quoted(actual))", fileID, line)
        }
        return String(actual.dropFirst(prefix.count))
    }

    /// Reads `INSERTED <id>` and returns the id.
    @discardableResult
    public func expectInserted(fileID: String = #fileID, line: Int = #line) throws -> UInt64 {
        let rest = try expectPrefix("INSERTED ", fileID: fileID, line: line)
        guard let id = UInt64(rest) else {
            throw mismatch("expected an id, got \(quoted(rest))", fileID, line)
        }
        return id
    }

    /// Reads a `RESERVED <id> <bytes>` or `FOUND <id> <bytes>` reply with its body.
    @discardableResult
    public func expectJob(
        _ word: String = "RESERVED",
        fileID: String = #fileID,
        line: Int = #line
    ) throws -> (id: UInt64, body: String) {
        let parts = try expectPrefix("\(word) ", fileID: fileID, line: line).split(separator: " ")
        guard parts.count == 2, let id = UInt64(parts[0]), let count = Int(parts[1]) else {
            throw mismatch("expected an id and a size, got \(parts)", fileID, line)
        }
        return (id, try readBody(count, fileID: fileID, line: line))
    }

    /// Reads an `OK <bytes>` reply that carries a mapping.
    public func expectOK(fileID: String = #fileID, line: Int = #line) throws -> Stats {
        try Stats(yaml: readDocument(fileID: fileID, line: line))
    }

    /// The state that `stats-job` gives.
    public func state(of id: UInt64) throws -> String? {
        try send("stats-job \(id)\r\n")
        return try expectOK()["state"]
    }

    /// Reads an `OK <bytes>` reply that carries a list.
    public func expectList(fileID: String = #fileID, line: Int = #line) throws -> [String] {
        let document = try readDocument(fileID: fileID, line: line)
        let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first == "---", lines.last == "", lines.dropFirst().dropLast().allSatisfy({ $0.hasPrefix("- ") })
        else {
            throw mismatch("expected a YAML list, got \(quoted(document))", fileID, line)
        }
        return lines.dropFirst().dropLast().map { String($0.dropFirst(2)) }
    }

    /// Waits for `seconds` in which the server must neither say anything nor close the connection.
    public func expectNothing(within seconds: Double, fileID: String = #fileID, line: Int = #line) throws {
        let deadline = Deadline(after: seconds)
        while consumed == received.count, !atEnd, try wait(for: Int16(POLLIN), until: deadline) != 0 {
            try receiveMore()
        }
        guard consumed == received.count else {
            let rest = String(decoding: received[consumed...], as: UTF8.self)
            throw mismatch("expected silence, got \(quoted(rest))", fileID, line)
        }
        guard !atEnd else {
            throw mismatch("expected silence, but the connection was closed", fileID, line)
        }
    }

    /// The server must close the connection without another reply.
    public func expectEOF(fileID: String = #fileID, line: Int = #line) throws {
        let deadline = Deadline(after: timeout)
        while !atEnd, consumed == received.count {
            try fill(until: deadline, "the end of the connection", fileID, line)
        }
        guard consumed == received.count else {
            let rest = String(decoding: received[consumed...], as: UTF8.self)
            throw mismatch("expected the end of the connection, got \(quoted(rest))", fileID, line)
        }
    }

    // MARK: Reading

    /// Reads up to the next CRLF and returns what stands before it.
    public func readLine(fileID: String = #fileID, line: Int = #line) throws -> String {
        let deadline = Deadline(after: timeout)
        var searched = consumed
        while true {
            if let end = endOfLine(from: searched) {
                let text = String(decoding: received[consumed..<end], as: UTF8.self)
                consume(upTo: end + 2)
                return text
            }
            // The last byte may be the first half of a line end.
            let unread = received.count - consumed
            searched = max(consumed, received.count - 1)
            guard !atEnd else {
                throw mismatch("the connection was closed; \(unread) bytes of a line are left", fileID, line)
            }
            try fill(until: deadline, "a line", fileID, line)
        }
    }

    /// Reads a body of `count` bytes and the CRLF after it.
    public func readBody(_ count: Int, fileID: String = #fileID, line: Int = #line) throws -> String {
        String(decoding: try readBodyBytes(count, fileID: fileID, line: line), as: UTF8.self)
    }

    public func readBodyBytes(_ count: Int, fileID: String = #fileID, line: Int = #line) throws -> [UInt8] {
        let deadline = Deadline(after: timeout)
        while received.count - consumed < count + 2 {
            guard !atEnd else {
                throw mismatch("the connection was closed inside a body of \(count) bytes", fileID, line)
            }
            try fill(until: deadline, "a body of \(count) bytes", fileID, line)
        }
        let end = consumed + count
        let body = Array(received[consumed..<end])
        guard received[end] == carriageReturn, received[end + 1] == newline else {
            throw mismatch("no CRLF after a body of \(count) bytes", fileID, line)
        }
        consume(upTo: end + 2)
        return body
    }

    /// Bytes without a line break behind them.
    public func readBytes(_ count: Int, fileID: String = #fileID, line: Int = #line) throws -> [UInt8] {
        let deadline = Deadline(after: timeout)
        while received.count - consumed < count {
            guard !atEnd else {
                throw mismatch("the connection was closed inside \(count) bytes", fileID, line)
            }
            try fill(until: deadline, "\(count) bytes", fileID, line)
        }
        let bytes = Array(received[consumed..<consumed + count])
        consume(upTo: consumed + count)
        return bytes
    }

    // MARK: Closing

    /// Closes the sending side of the connection; replies can still be read.
    public func halfClose() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    public func close() {
        guard descriptor >= 0 else { return }
        systemClose(descriptor)
        descriptor = -1
    }

    // MARK: Private

    private func readDocument(fileID: String, line: Int) throws -> String {
        let rest = try expectPrefix("OK ", fileID: fileID, line: line)
        guard let count = Int(rest) else {
            throw mismatch("expected a size, got \(quoted(rest))", fileID, line)
        }
        return try readBody(count, fileID: fileID, line: line)
    }

    private func endOfLine(from start: Int) -> Int? {
        var index = start
        while index + 1 < received.count {
            if received[index] == carriageReturn, received[index + 1] == newline { return index }
            index += 1
        }
        return nil
    }

    private func consume(upTo end: Int) {
        consumed = end
        // The read part is dropped only when it is half of the buffer, which keeps long pipelines linear.
        if consumed * 2 > received.count {
            received.removeFirst(consumed)
            consumed = 0
        }
    }

    private func fill(until deadline: Deadline, _ what: String, _ fileID: String, _ line: Int) throws {
        guard try wait(for: Int16(POLLIN), until: deadline) != 0 else {
            let rest = String(decoding: received[consumed...], as: UTF8.self)
            throw mismatch("no answer in \(timeout) s while waiting for \(what); so far \(quoted(rest))", fileID, line)
        }
        try receiveMore()
    }

    /// The events that are ready, or 0 once the deadline has passed.
    private func wait(for events: Int16, until deadline: Deadline) throws -> Int16 {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let count = poll(&entry, 1, deadline.millisecondsLeft)
            if count > 0 { return entry.revents }
            if count == 0 { return 0 }
            guard errno == EINTR else {
                throw WireMismatch("poll failed: \(String(cString: strerror(errno)))")
            }
        }
    }

    private func receiveMore() throws {
        let capacity = 65_536
        let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let result = recv(descriptor, buffer.baseAddress, capacity, 0)
            // A reset is an end, too: beanstalkd closes with SO_LINGER 0.
            if result == 0 || result < 0 && errno != EAGAIN && errno != EINTR { atEnd = true }
            count = max(0, result)
        }
        received.append(contentsOf: chunk)
    }

    private func mismatch(_ text: String, _ fileID: String, _ line: Int) -> WireMismatch {
        var description = "\(text) [after sending \(quoted(lastSent))]"
        // A connection ends a moment before its process does.
        if atEnd { pause(milliseconds: 200) }
        if let server {
            let state = server.exitCode.map { "has exited with \($0); it said" } ?? "has said so far"
            description += "\nThe server \(state):\n\(server.stderr.suffix(3000))"
        }
        return WireMismatch(description, fileID: fileID, line: line)
    }
}

private let carriageReturn = UInt8(ascii: "\r")
private let newline = UInt8(ascii: "\n")
