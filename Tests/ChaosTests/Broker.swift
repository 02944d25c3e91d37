import Foundation
import Synchronization
import TestKit

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A broker of a run. It can be killed and started again on the same port. One proxy is between it and the database,
/// another between it and half of its clients.
final class Broker: Sendable {
    let number: Int
    /// Between the broker and PostgreSQL.
    let database: FaultProxy
    /// Between some clients and the broker.
    let front: FaultProxy
    private let address: ServerAddress
    private let configuration: BrokerProcess.Configuration
    /// Nil while it is down.
    private let process: Mutex<BrokerProcess?>

    /// - Parameters:
    ///   - number: The number of the broker and its proxy, from 1 on.
    ///   - postgres: The cluster of all brokers.
    ///   - schema: The queue that they share.
    ///   - databaseTimeout: In seconds.
    /// - Throws: `WireMismatch` if it does not serve.
    init(_ number: Int, on postgres: TestPostgres, schema: String, databaseTimeout: Int = 3) throws {
        self.number = number
        let connectionString: String
        (database, connectionString) = try postgres.proxy()
        var configuration = BrokerProcess.Configuration(
            database: connectionString, schema: schema, options: ["--database-timeout", "\(databaseTimeout)"])
        let first = try BrokerProcess(configuration)
        configuration.port = first.port!
        self.configuration = configuration
        address = first.address
        front = try FaultProxy(to: first.address)
        process = Mutex(first)
    }

    /// The direct route and the one through the proxy.
    var ways: [@Sendable () -> Way?] {
        [
            { [self] in pid.map { Way(address: address, broker: $0) } },
            { [self] in pid.map { Way(address: front.address, broker: $0, proxy: number) } },
        ]
    }

    var pid: Int32? { process.withLock { $0?.pid } }

    func connect() throws -> WireClient { try WireClient(address: address) }

    func signal(_ number: Int32) {
        process.withLock { $0?.signal(number) }
    }

    func kill9() {
        take()?.kill9()
    }

    /// Sends SIGTERM and waits for the end.
    func stop() throws {
        guard let process = take() else { return }
        guard try process.stop() == 0 else {
            throw WireMismatch("broker \(number) did not end well; it said:\n\(process.stderr.suffix(3000))")
        }
    }

    private func take() -> BrokerProcess? {
        process.withLock { process in
            defer { process = nil }
            return process
        }
    }

    /// Starts it again after it has been killed or stopped.
    func start() throws {
        let new = try BrokerProcess(configuration)
        process.withLock { $0 = new }
    }

    /// The log of the running process.
    var log: String { process.withLock { $0?.stderr ?? "" } }

    /// The log of a process that has ended by itself, else nil.
    var crash: String? {
        process.withLock { process in
            guard let process, let code = process.exitCode else { return nil }
            return "broker \(number) has ended by itself with \(code); it said:\n\(process.stderr.suffix(3000))"
        }
    }
}
