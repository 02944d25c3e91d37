import Foundation

@testable import TestKit

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A folder with the log of a real beanstalkd.
final class Original {
    let folder = TestRun.shared.path("folder")
    private var running: BrokerProcess?

    static let isInstalled = (try? ChildProcess.find("beanstalkd", orIn: ["/usr/bin"])) != nil

    /// Starts beanstalkd on the folder, with further options.
    @discardableResult
    func start(_ options: [String] = []) throws -> WireClient {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let broker = try BrokerProcess(
            BrokerProcess.Configuration(server: .beanstalkd, options: ["-b", folder, "-F"] + options))
        running = broker
        return try broker.connect()
    }

    /// beanstalkd has no orderly end.
    func kill9() {
        running?.kill9()
        running = nil
    }

    /// Starts beanstalkd, runs a transcript, and ends it.
    func run(_ options: [String] = [], _ body: (WireClient) throws -> Void) throws {
        try body(start(options))
        kill9()
    }

    // MARK: The files

    var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("binlog.") }
                .sorted { Int($0.dropFirst(7))! < Int($1.dropFirst(7))! }
        }
    }

    func bytes(of file: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
    }

    func replace(_ file: String, by bytes: [UInt8]) throws {
        let path = "\(folder)/\(file)"
        chmod(path, 0o600)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o400)
    }

    /// Content, owner and mode of each file of the log.
    func fingerprint() throws -> [String] {
        try files.map { file in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")
            let owner = attributes[.ownerAccountID] ?? 0
            return "\(file) \(try bytes(of: file).hashValue) \(owner) \(attributes[.posixPermissions] ?? 0)"
        }
    }
}

extension WireClient {
    /// Puts a job and returns its id.
    @discardableResult
    func put(_ body: String = "x", _ arguments: String = "0 0 60") throws -> UInt64 {
        try send("put \(arguments) \(body.utf8.count)\r\n\(body)\r\n")
        return try expectInserted()
    }

    /// Reserves a job, and sends a command about it.
    func reserve(_ id: UInt64, then command: String, _ reply: String) throws {
        try send("reserve-job \(id)\r\n\(command)\r\n")
        try expectJob()
        try expect(reply)
    }

    func statsJob(_ id: UInt64) throws -> Stats {
        try send("stats-job \(id)\r\n")
        return try expectOK()
    }

    func isThere(_ id: UInt64) throws -> Bool {
        try send("peek \(id)\r\n")
        guard try readLine() != "NOT_FOUND" else { return false }
        _ = try readLine()
        return true
    }
}
