import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The program that the transcripts are played against.
public enum Server: String, Sendable {
    case beanrow
    /// The original, to check the transcripts themselves.
    case beanstalkd

    /// Chosen by the environment variable WIRE_SERVER.
    public static let current = Server(rawValue: ProcessInfo.processInfo.environment["WIRE_SERVER"] ?? "beanrow")!
}

/// A running server of its own: for Beanrow on a schema of its own, so that job ids start at 1.
public final class BrokerProcess: Sendable {
    /// What a server is started with, and started again with after a crash.
    public struct Configuration: Sendable {
        public var server: Server
        public var options: [String]
        public var socketPath: String?
        /// 0 for any.
        public var port: UInt16 = 0
        public var database: String
        public var schema: String
        /// The folder of a PostgreSQL of its own, instead of a database.
        public var dataDirectory: String?
        /// The command that starts it, as `env -i`, instead of the test itself.
        public var launcher: [String] = []
        /// File descriptors that it may have.
        public var descriptors: Int?

        public init(
            server: Server = .beanrow, database: String = "", schema: String = "", dataDirectory: String? = nil,
            socketPath: String? = nil, options: [String] = []
        ) {
            self.server = server
            self.database = database
            self.schema = schema
            self.dataDirectory = dataDirectory
            self.socketPath = socketPath
            self.options = options
        }
    }

    public let configuration: Configuration
    public let address: ServerAddress
    private let child: ChildProcess
    private let note: String

    /// Starts the server under test and returns once it serves.
    ///
    /// - Parameters:
    ///   - options: Further options, those that beanstalkd knows too unless the test is for Beanrow alone.
    ///   - keepsJobs: The jobs outlive the process. Beanrow's always do; beanstalkd gets a binlog for it.
    ///   - overSocket: Listens on a Unix-domain socket instead of a port.
    ///   - postgres: The cluster that holds the jobs, the shared one unless given.
    ///   - schema: The schema in it, a new one unless given.
    ///   - database: The connection string, if `postgres` does not say all.
    ///   - descriptors: File descriptors that the process may have.
    /// - Returns: The running server.
    /// - Throws: `WireMismatch` with what the server printed when it did not come to serve.
    public static func start(
        _ options: [String] = [],
        keepsJobs: Bool = false,
        overSocket: Bool = false,
        postgres: TestPostgres? = nil,
        schema: String? = nil,
        database: String? = nil,
        descriptors: Int? = nil
    ) throws -> BrokerProcess {
        var configuration = Configuration(
            server: .current,
            socketPath: overSocket ? TestRun.shared.path("socket") : nil,
            options: options
        )
        configuration.descriptors = descriptors
        switch configuration.server {
        case .beanrow:
            if let database {
                configuration.database = database
                configuration.schema = schema ?? "beanrow"
                break
            }
            let postgres = try postgres ?? TestPostgres.shared()
            configuration.database = postgres.connectionString
            configuration.schema = schema ?? postgres.freshSchema()
        case .beanstalkd where keepsJobs:
            let directory = TestRun.shared.path("binlog")
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            configuration.options += ["-b", directory, "-f", "0"]
        case .beanstalkd:
            break
        }
        return try BrokerProcess(configuration)
    }

    /// Starts a broker with a PostgreSQL of its own, in a new folder.
    public static func embedded() throws -> BrokerProcess {
        try BrokerProcess(Configuration(dataDirectory: TestRun.shared.path("data")))
    }

    public init(_ configuration: Configuration) throws {
        self.configuration = configuration
        let listen = configuration.socketPath.map { "unix:\($0)" } ?? "127.0.0.1"
        let output = TestRun.shared.path("server-log")
        switch configuration.server {
        case .beanrow:
            let place =
                configuration.dataDirectory.map { ["-b", $0] }
                ?? ["--database", configuration.database, "--schema", configuration.schema]
            var command = [try Self.beanrowPath(), "serve", "-l", listen, "-p", String(configuration.port)]
            command += place + configuration.options
            if let descriptors = configuration.descriptors {
                command = ["/bin/sh", "-c", "ulimit -n \(descriptors) && exec \"$@\"", "sh"] + command
            }
            if !configuration.launcher.isEmpty { command = ["/usr/bin/env"] + configuration.launcher + command }
            child = try ChildProcess(command[0], Array(command.dropFirst()), output: output)
            address = try Self.waitForServingLine(of: child)
        case .beanstalkd:
            let port = try ServerAddress.freePort()
            child = try ChildProcess(
                ChildProcess.find("beanstalkd", orIn: ["/usr/bin"]),
                ["-l", listen, "-p", String(port)] + configuration.options,
                output: output
            )
            address = configuration.socketPath.map { .unix(path: $0) } ?? .tcp(port: port)
            try Self.waitForConnection(to: address, of: child)
        }
        note = TestRun.shared.note(pid: child.pid)
    }

    deinit {
        child.signal(SIGKILL)
        _ = child.waitForExit()
        unlink(note)
    }

    public var pid: Int32 { child.pid }

    /// What the server has logged so far.
    public var stderr: String { child.printed }

    /// The exit code once it has ended; 128 + n if signal n ended it.
    public var exitCode: Int32? { child.exitCode }

    public var port: UInt16? {
        if case .tcp(let port) = address { port } else { nil }
    }

    public func connect() throws -> WireClient {
        try WireClient(address: address, server: self)
    }

    public func signal(_ number: Int32) {
        child.signal(number)
    }

    /// Takes the server down without any warning to it.
    public func kill9() {
        child.signal(SIGKILL)
        _ = child.waitForExit()
    }

    /// SIGTERM, then its exit code.
    @discardableResult
    public func stop() throws -> Int32 {
        child.signal(SIGTERM)
        guard let code = child.waitForExit() else {
            throw WireMismatch("the server did not end within \(patience) s; it said:\n\(stderr.suffix(3000))")
        }
        return code
    }

    /// Waits, so long at most, until it has ended by itself or by a signal.
    public func waitForExit(within seconds: Double = patience) -> Int32? { child.waitForExit(within: seconds) }

    /// Stops the server and starts another one on the same jobs.
    public func restarted() throws -> BrokerProcess {
        try stop()
        return try BrokerProcess(configuration)
    }

    /// Waits until one number in `stats` is this one.
    public func waitUntil(
        _ key: String,
        is value: Int,
        fileID: String = #fileID,
        line: Int = #line
    ) throws {
        try waitUntil(key, in: value...value, fileID: fileID, line: line)
    }

    /// Waits until one number in `stats` is one of these.
    public func waitUntil(
        _ key: String,
        in values: ClosedRange<Int>,
        within seconds: Double = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) throws {
        let client = try connect()
        client.timeout = seconds
        try eventually("\(key) is in \(values)", within: seconds, fileID: fileID, line: line) {
            try client.send("stats\r\n")
            return try values.contains(client.expectOK().number(key))
        }
    }

    /// The binary under test: named by BEANROW_BINARY, else beside the test bundle.
    public static func beanrowPath() throws -> String {
        if let path = ProcessInfo.processInfo.environment["BEANROW_BINARY"] { return path }
        // The helper that loads the bundle may live elsewhere, but its arguments name the bundle.
        let starts = CommandLine.arguments + [Bundle.main.executablePath ?? "", "/proc/self/exe"]
        for start in starts where start.hasPrefix("/") {
            var directory = URL(fileURLWithPath: start).resolvingSymlinksInPath().deletingLastPathComponent()
            while directory.path != "/" {
                let candidate = directory.appendingPathComponent("beanrow").path
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory),
                    !isDirectory.boolValue, FileManager.default.isExecutableFile(atPath: candidate)
                {
                    return candidate
                }
                directory.deleteLastPathComponent()
            }
        }
        throw WireMismatch("no beanrow executable beside the tests; set BEANROW_BINARY")
    }

    private static func waitForServingLine(of child: ChildProcess) throws -> ServerAddress {
        var found: ServerAddress?
        try waitForStart(of: child) {
            for line in child.printed.split(separator: "\n") where line.contains("serving") {
                guard let range = line.firstRange(of: "address=") else { continue }
                let value = line[range.upperBound...].prefix { $0 != " " }.filter { $0 != "\"" }
                if value.hasPrefix("unix:") {
                    found = .unix(path: String(value.dropFirst("unix:".count)))
                } else if let port = value.split(separator: ":").last.flatMap({ UInt16($0) }) {
                    found = .tcp(port: port)
                }
            }
            return found != nil
        }
        return found!
    }

    private static func waitForConnection(to address: ServerAddress, of child: ChildProcess) throws {
        try waitForStart(of: child) {
            guard let descriptor = try? address.connect() else { return false }
            systemClose(descriptor)
            return true
        }
    }

    private static func waitForStart(of child: ChildProcess, _ isUp: () -> Bool) throws {
        // A new cluster takes a while where everything else runs too.
        let deadline = Deadline(after: patience)
        while !isUp() {
            if let code = child.exitCode {
                throw WireMismatch("the server exited with \(code) at its start; it said:\n\(child.printed)")
            }
            guard deadline.millisecondsLeft > 0 else {
                throw WireMismatch("the server did not serve within \(patience) s; it said:\n\(child.printed)")
            }
            pause(milliseconds: 5)
        }
    }
}
