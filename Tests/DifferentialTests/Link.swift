@testable import TestKit

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A client's connection to one server. It waits for replies only with a given time.
final class Link {
    /// All replies of the server, in order.
    private(set) var replies: [Reply] = []
    private(set) var isClosed = false
    private var parser = ReplyParser()
    private var descriptor: Int32

    init(_ address: ServerAddress) throws {
        descriptor = try address.connect()
    }

    deinit {
        close()
    }

    /// The bytes of an incomplete reply.
    var rest: [UInt8] { parser.rest }

    /// Sends all bytes; none if the server has closed the connection.
    func send(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count, !isClosed {
            let count = bytes.withUnsafeBytes { systemSend(descriptor, $0.baseAddress! + sent, $0.count - sent) }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EINTR {
                wait(milliseconds: 10, for: POLLIN | POLLOUT)
                receive()
            } else {
                return
            }
        }
    }

    /// Reads what has arrived. Returns true if that was anything.
    @discardableResult
    func receive() -> Bool {
        var isNews = false
        while !isClosed {
            let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { isClosed = true }
                count = max(0, count)
            }
            isNews = isNews || isClosed || !chunk.isEmpty
            parser.append(chunk)
            while let reply = parser.next() { replies.append(reply) }
            if isClosed { replies.append(.closed) }
            if chunk.isEmpty { break }
        }
        return isNews
    }

    /// Waits until something has arrived, for this time at most.
    func wait(milliseconds: Int, for events: Int32 = POLLIN) {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        poll(&entry, 1, Int32(milliseconds))
    }

    /// Sends a command and waits for its reply.
    func ask(_ text: String) throws -> Reply {
        let expected = replies.count + 1
        let deadline = Deadline(after: 20)
        send(text.utf8)
        while replies.count < expected {
            guard deadline.millisecondsLeft > 0 else { throw WireMismatch("no answer to \(text)") }
            wait(milliseconds: Int(deadline.millisecondsLeft))
            receive()
        }
        guard !isClosed else { throw WireMismatch("the connection was closed at \(text)") }
        return replies[expected - 1]
    }

    func halfClose() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func close() {
        guard descriptor >= 0 else { return }
        systemClose(descriptor)
        descriptor = -1
    }
}
