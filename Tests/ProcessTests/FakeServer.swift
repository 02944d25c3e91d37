import Foundation
import Synchronization
import TestKit

/// A server that knows only the commands of a load, and does one of them wrong. Its threads end with the test process.
final class FakeServer: Sendable {
    enum Fault: Sendable {
        /// Puts are answered with this line.
        case put(String)
        /// Every reserve gives out the first job.
        case doubled
        /// Every body given out has its last letter changed.
        case changed
    }

    let port: UInt16
    private let fault: Fault
    private let bodies = Mutex<[String]>([])
    private let given = Mutex(0)

    static func start(_ fault: Fault) throws -> FakeServer {
        #if canImport(Darwin)
        let listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 16) | getsockname(listener, $0, &length)
            }
        }
        guard result == 0 else { throw WireMismatch("cannot listen: \(String(cString: strerror(errno)))") }
        let server = FakeServer(port: UInt16(bigEndian: name.sin_port), fault)
        Thread.detachNewThread {
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { server.serve(client) }
            }
        }
        return server
    }

    private init(port: UInt16, _ fault: Fault) {
        self.port = port
        self.fault = fault
    }

    private func serve(_ client: Int32) {
        guard let input = fdopen(client, "r") else { return }
        defer { fclose(input) }
        while let line = readLine(input) {
            let reply = reply(to: line.split(separator: " ").map(String.init), input) + "\r\n"
            // The client may have closed the connection, which must not raise SIGPIPE.
            #if canImport(Darwin)
            let flags: Int32 = 0
            #else
            let flags = Int32(MSG_NOSIGNAL)
            #endif
            guard send(client, reply, reply.utf8.count, flags) > 0 else { return }
        }
    }

    private func readLine(_ input: UnsafeMutablePointer<FILE>) -> String? {
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        guard getline(&line, &capacity, input) > 0, let line else { return nil }
        return String(cString: line).trimmingCharacters(in: .newlines)
    }

    private func reply(to words: [String], _ input: UnsafeMutablePointer<FILE>) -> String {
        switch words[0] {
        case "put":
            let body = readLine(input) ?? ""
            if case .put(let line) = fault { return line }
            return bodies.withLock { bodies in
                bodies.append(body)
                return "INSERTED \(bodies.count)"
            }
        case "reserve-with-timeout": return reserved
        case "delete": return "DELETED"
        case "use": return "USING \(words[1])"
        case "stats": return "OK 4\r\n---\n"
        default: return "WATCHING 1"
        }
    }

    private var reserved: String {
        let bodies = bodies.withLock { $0 }
        let index = given.withLock { given -> Int? in
            guard given < bodies.count else { return nil }
            defer { given += 1 }
            return given
        }
        guard let index else { return "TIMED_OUT" }
        switch fault {
        case .put: return "TIMED_OUT"
        case .doubled: return "RESERVED 1 \(bodies[0].utf8.count)\r\n\(bodies[0])"
        case .changed: return "RESERVED \(index + 1) \(bodies[index].utf8.count)\r\n\(bodies[index].dropLast())?"
        }
    }
}
