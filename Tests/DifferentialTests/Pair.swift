import Synchronization

@testable import TestKit

/// Both servers, started alike.
final class Pair {
    /// Bytes that a body may have on both, few enough for histories to exceed.
    static let maxJobSize = 300
    private static let starting = Mutex(())

    let original: Side
    let beanrow: Side

    init() throws {
        let options = ["-z", String(Self.maxJobSize)]
        // beanstalkd takes a port that was free a moment ago.
        original = try Self.starting.withLock { _ in
            try Side(BrokerProcess(.init(server: .beanstalkd, options: options)))
        }
        let postgres = try TestPostgres.shared()
        let schema = postgres.freshSchema()
        beanrow = try Side(
            BrokerProcess(
                .init(database: postgres.connectionString, schema: schema, options: options)))
    }

    var sides: [Side] { [original, beanrow] }

    func begin() throws {
        for side in sides { try side.begin() }
    }

    /// Clears up after a history. Returns false where the servers are not to be used again.
    func end() throws -> Bool {
        var isClean = true
        for side in sides where try !side.end() { isClean = false }
        return isClean
    }
}
