import Foundation
import TestKit

extension WireClient {
    /// Puts a job, by the protocol.
    @discardableResult
    func put(_ body: String, priority: Int = 1024, delay: Int = 0, line: Int = #line) throws -> UInt64 {
        try send("put \(priority) \(delay) 60 \(body.utf8.count)\r\n\(body)\r\n", line: line)
        return try expectInserted(line: line)
    }

    /// Uses and watches one tube alone.
    func enter(_ tube: String) throws {
        try send("use \(tube)\r\nwatch \(tube)\r\nignore default\r\n")
        try expect("USING \(tube)")
        try expect("WATCHING 2")
        try expect("WATCHING 1")
    }

    func reserve(line: Int = #line) throws -> (id: UInt64, body: String) {
        try send("reserve\r\n", line: line)
        return try expectJob(line: line)
    }

    /// Numbers of `stats-tube`.
    func tube(_ name: String, _ keys: String...) throws -> [Int] {
        try send("stats-tube \(name)\r\n")
        let stats = try expectOK()
        return try keys.map(stats.number)
    }
}

/// Runs `body` on several threads at once and waits for them all.
func onThreads(_ count: Int, within seconds: Double, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let group = DispatchGroup()
    let failures = Failures()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try body(number) } catch { failures.add(error) }
            group.leave()
        }
    }
    guard group.wait(timeout: .now() + seconds) == .success else { throw WireMismatch("threads did not end") }
    if let first = failures.first { throw first }
}

private final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var errors: [any Error] = []

    func add(_ error: any Error) { lock.withLock { errors.append(error) } }
    var first: (any Error)? { lock.withLock { errors.first } }
}

extension SQLDatabase {
    /// A database with a broker, a session beside it, and a client that uses and watches the tube `t`.
    static func besideBroker() throws -> (
        database: SQLDatabase, broker: BrokerProcess, sql: SQLSession, client: WireClient
    ) {
        let database = try SQLDatabase()
        let broker = try database.startBroker()
        let client = try broker.connect()
        try client.enter("t")
        return (database, broker, try database.session(), client)
    }
}
