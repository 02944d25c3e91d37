import Synchronization

@testable import TestKit

/// Both servers, started with the same options.
final class Pair {
    /// The most bytes of a body on both servers, few enough for histories to exceed.
    static let maxJobSize = 300
    private static let starting = Mutex(())

    let original: Side
    let beanrow: Side

    init() throws {
        let options = ["-z", String(Self.maxJobSize)]
        // beanstalkd's port was free a moment ago, but another program may have taken it.
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

    /// Cleans up after a history. Returns false if the servers must not be used again.
    func end() throws -> Bool {
        var isClean = true
        for side in sides where try !side.end() { isClean = false }
        return isClean
    }
}
