import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The program that the transcripts are played against.
public enum Server: String, Sendable {
    case beanrow
    /// The original: the transcripts themselves are checked against it.
    case beanstalkd

    /// The environment variable WIRE_SERVER, `beanrow` by default.
    public static let current = Server(rawValue: ProcessInfo.processInfo.environment["WIRE_SERVER"] ?? "beanrow")!
}

/// A server process that belongs to one test. Beanrow gets a new schema, so that job ids start at 1.
public final class BrokerProcess: Sendable {
    /// The configuration of a server, for its start and for each start after a crash.
    public struct Configuration: Sendable {
        public var server: Server
        public var options: [String]
        public var socketPath: String?
        /// 0: a free port.
        public var port: UInt16 = 0
        public var database: String
        public var schema: String
        /// The data directory of an embedded PostgreSQL, instead of a database.
        public var dataDirectory: String?
        /// A command that starts the server, for example `env -i`; empty: it is started directly.
        public var launcher: [String] = []
        /// The most file descriptors that it may open; nil: the limit of the test process.
        public var descriptors: Int?
        /// Where Beanrow serves over HTTP, `127.0.0.1:0` for a free port, `defaultHTTP`; nil: nowhere.
        public var http: String?

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

    /// No option says where to serve over HTTP.
    public static let defaultHTTP = ""

    public let configuration: Configuration
    public let address: ServerAddress
    private let child: ChildProcess
    private let note: String

    /// Starts the server under test and returns once it serves.
    ///
    /// - Parameters:
    ///   - options: Further options. beanstalkd must know them, too, unless the test is for Beanrow alone.
    ///   - keepsJobs: The jobs outlive the process. Beanrow's always do; beanstalkd is given a binlog.
    ///   - overSocket: True: it listens on a Unix-domain socket instead of a port.
    ///   - postgres: The cluster that holds the jobs; the shared one by default.
    ///   - schema: The schema in it; a new one by default.
    ///   - database: The connection string, instead of `postgres`.
    ///   - descriptors: The most file descriptors that the process may open.
    ///   - http: Where it serves over HTTP, `127.0.0.1:0` for a free port (`httpURL`); nil: nowhere.
    /// - Returns: The running server.
    /// - Throws: `WireMismatch` with the server's output if it does not serve.
    public static func start(
        _ options: [String] = [],
        keepsJobs: Bool = false,
        overSocket: Bool = false,
        postgres: TestPostgres? = nil,
        schema: String? = nil,
        database: String? = nil,
        descriptors: Int? = nil,
        http: String? = nil
    ) throws -> BrokerProcess {
        var configuration = Configuration(
            server: .current,
            socketPath: overSocket ? TestRun.shared.path("socket") : nil,
            options: options
        )
        configuration.descriptors = descriptors
        configuration.http = http
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
            let http = configuration.http.map { $0 == Self.defaultHTTP ? [] : ["--http", $0] } ?? ["--no-http"]
            command += place + http + configuration.options
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

    /// The server's log so far.
    public var stderr: String { child.printed }

    /// The exit code once it has ended; 128 + n if signal n ended it.
    public var exitCode: Int32? { child.exitCode }

    public var port: UInt16? {
        if case .tcp(let port) = address { port } else { nil }
    }

    /// Where it serves over HTTP, with a slash at the end; nil if it does not.
    public var httpURL: String? {
        stderr.firstMatch(of: /http=(http:\/\/[^\s"]+)/).map { String($0.1) }
    }

    public func connect() throws -> WireClient {
        try WireClient(address: address, server: self)
    }

    public func signal(_ number: Int32) {
        child.signal(number)
    }

    /// Ends the server with SIGKILL.
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

    /// Waits until it has ended, for this time at most.
    public func waitForExit(within seconds: Double = patience) -> Int32? { child.waitForExit(within: seconds) }

    /// Stops the server and starts another one on the same jobs.
    public func restarted() throws -> BrokerProcess {
        try stop()
        return try BrokerProcess(configuration)
    }

    /// Waits until a number in `stats` has this value.
    public func waitUntil(
        _ key: String,
        is value: Int,
        fileID: String = #fileID,
        line: Int = #line
    ) throws {
        try waitUntil(key, in: value...value, fileID: fileID, line: line)
    }

    /// Waits until a number in `stats` is in this range.
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

    /// The binary under test: BEANROW_BINARY if set, else the one beside the test bundle.
    public static func beanrowPath() throws -> String {
        if let path = ProcessInfo.processInfo.environment["BEANROW_BINARY"] { return path }
        // The program that loads the bundle may be elsewhere, but its arguments name the bundle.
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
        // A new cluster takes a while on a busy machine.
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
