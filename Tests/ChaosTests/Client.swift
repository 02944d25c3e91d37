import Foundation
import TestKit

/// A client's route to a broker.
struct Way: Sendable {
    var address: ServerAddress
    /// The broker's process.
    var broker: Int32
    /// The number of the proxy on the route, 0 for none.
    var proxy = 0
}

/// A client whose commands and answers are recorded. It belongs to one thread.
final class Client {
    /// Several tubes: one would hide errors between tubes.
    static let tubes = ["chaos-0", "chaos-1", "chaos-2"]

    let recorder: Recorder
    let number: Int
    private let wire: WireClient

    /// Connects to a broker.
    ///
    /// - Parameters:
    ///   - way: The route to the broker.
    ///   - recorder: Records the events.
    /// - Throws: `WireMismatch` if nobody listens there.
    init(_ way: Way, _ recorder: Recorder) throws {
        self.recorder = recorder
        number = recorder.newConnection()
        wire = try WireClient(address: way.address)
        // Longer than any answer takes without faults: after this time the client considers the connection dead.
        wire.timeout = 8
        recorder.note(number, .opened(broker: way.broker, proxy: way.proxy))
    }

    deinit {
        close()
    }

    /// Ends the connection. A second call does nothing.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        // The time is read first: if the connection is open afterwards, it was open then.
        let time = recorder.now
        wire.timeout = 0
        recorder.note(at: time, number, (try? wire.expectEOF()) == nil ? .closed : .lost)
        wire.close()
    }

    private var isClosed = false

    // MARK: Commands

    func put(_ body: Body, priority: Int, delay: Int) throws -> Reply {
        let text = body.text
        return try ask(.put(body), "put \(priority) \(delay) \(body.ttr) \(text.utf8.count)\r\n\(text)\r\n")
    }

    /// Waits up to a second.
    func reserve() throws -> Reply { try ask(.reserve, "reserve-with-timeout 1\r\n") }

    func delete(_ id: UInt64) throws -> Reply {
        let reply = try ask(.delete(id), "delete \(id)\r\n")
        if reply == .done { recorder.noteDeleted() }
        return reply
    }

    func release(_ id: UInt64, priority: Int, delay: Int) throws -> Reply {
        try ask(.release(id), "release \(id) \(priority) \(delay)\r\n")
    }

    func bury(_ id: UInt64, priority: Int) throws -> Reply { try ask(.bury(id), "bury \(id) \(priority)\r\n") }
    func touch(_ id: UInt64) throws -> Reply { try ask(.touch(id), "touch \(id)\r\n") }
    func peek(_ id: UInt64) throws -> Reply { try ask(.peek(id), "peek \(id)\r\n") }
    func kick(_ bound: Int) throws -> Reply { try ask(.kick, "kick \(bound)\r\n") }

    func use(_ tube: String) throws {
        try wire.send("use \(tube)\r\n")
        try wire.expect("USING \(tube)")
    }

    func watchAll() throws {
        for (index, tube) in Self.tubes.enumerated() {
            try wire.send("watch \(tube)\r\n")
            try wire.expect("WATCHING \(index + 2)")
        }
        try wire.send("ignore default\r\n")
        try wire.expect("WATCHING \(Self.tubes.count)")
    }

    /// Does nothing for this many seconds, but notices if the connection is closed.
    func idle(_ seconds: Double) throws {
        try wire.expectNothing(within: seconds)
    }

    // MARK: Answers

    private func ask(_ request: Request, _ text: String) throws -> Reply {
        recorder.note(number, .sent(request))
        try wire.send(text)
        let line = try wire.readLine()
        let reply = try reply(to: request, line)
        recorder.note(number, .got(reply))
        return reply
    }

    private func reply(to request: Request, _ line: String) throws -> Reply {
        let words = line.split(separator: " ").map(String.init)
        switch (request, words.first ?? "") {
        case (_, "INTERNAL_ERROR"), (_, "OUT_OF_MEMORY"): return .refused
        case (.put, "INSERTED"):
            if words.count == 2, let id = UInt64(words[1]) { return .inserted(id) }
        case (.reserve, "RESERVED"):
            if words.count == 3, let id = UInt64(words[1]), let size = Int(words[2]) {
                return .reserved(id, Body(try wire.readBody(size)))
            }
        case (.peek, "FOUND"):
            if words.count == 3, let id = UInt64(words[1]), let size = Int(words[2]) {
                _ = try wire.readBody(size)
                return .found(id)
            }
        case (.reserve, "TIMED_OUT"), (.reserve, "DEADLINE_SOON"): return .nothing
        case (.delete, "DELETED"), (.release, "RELEASED"), (.bury, "BURIED"), (.touch, "TOUCHED"), (.kick, "KICKED"):
            return .done
        case (.delete, "NOT_FOUND"), (.release, "NOT_FOUND"), (.bury, "NOT_FOUND"), (.touch, "NOT_FOUND"),
            (.peek, "NOT_FOUND"):
            return .notFound
        default: break
        }
        return .unexpected(line)
    }
}
