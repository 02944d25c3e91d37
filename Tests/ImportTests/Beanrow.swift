@testable import TestKit

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A run of the beanrow program to its end.
struct Run {
    let code: Int32?
    let output: String

    init(_ arguments: [String], within seconds: Double = patience) throws {
        let child = try ChildProcess(
            BrokerProcess.beanrowPath(), arguments, output: TestRun.shared.path("output"))
        code = child.waitForExit(within: seconds)
        output = child.printed
    }
}

/// A schema to import into, and to serve.
struct Target {
    let postgres: TestPostgres
    let schema: String

    init() throws {
        postgres = try TestPostgres.shared()
        schema = postgres.freshSchema()
    }

    func importing(_ folder: String, _ options: [String] = []) throws -> Run {
        try Run(["import", folder, "--database", postgres.connectionString, "--schema", schema] + options)
    }

    func serve() throws -> BrokerProcess {
        try BrokerProcess.start(postgres: postgres, schema: schema)
    }

    func value(_ sql: String) throws -> String {
        try postgres.psql("set search_path to \(schema); \(sql)")
    }
}

/// `beanrow -b DIR`: a broker with its own PostgreSQL.
final class Embedded {
    let client: WireClient
    private let child: ChildProcess

    init(_ folder: String) throws {
        child = try ChildProcess(
            BrokerProcess.beanrowPath(), ["-b", folder, "-l", "127.0.0.1", "-p", "0"],
            output: TestRun.shared.path("embedded"))
        var port: UInt16?
        let child = child
        try eventually("the broker serves") {
            if let code = child.exitCode { throw WireMismatch("the broker ended with \(code): \(child.printed)") }
            let address = child.printed.split(separator: "address=127.0.0.1:").dropFirst().first
            port = address.flatMap { UInt16($0.prefix { $0.isNumber }) }
            return port != nil
        }
        client = try WireClient(address: .tcp(port: port!))
    }

    var stderr: String { child.printed }

    func stop() throws {
        client.close()
        child.signal(SIGTERM)
        guard child.waitForExit() == 0 else { throw WireMismatch("the broker did not end well: \(child.printed)") }
    }
}
