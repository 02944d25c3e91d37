import Foundation
import Testing
import Yams

@testable import AdminServer

/// These tests run without Docker. They read the container files and compare each path, port, flag and environment
/// variable in them with the repository and the program.
@Suite struct ContainerTests {
    /// beanstalkd's port, which is the program's default.
    static let defaultPort = "11300"

    let dockerfile: Dockerfile
    let compose: Compose
    let broker: Compose.Service
    let database: Compose.Service

    init() throws {
        dockerfile = Dockerfile(try Repository.text("Dockerfile"))
        compose = try YAMLDecoder().decode(Compose.self, from: Repository.text("docker-compose.yml"))
        broker = try #require(compose.services["beanrow"])
        database = try #require(compose.services["postgres"])
    }

    @Test func everythingCopiedIntoTheBuildExistsAndIsLetThrough() throws {
        let letThrough = try Repository.text(".dockerignore").split(separator: "\n").filter { $0.hasPrefix("!") }
        let copies = dockerfile.arguments(of: "COPY").filter { !$0[0].hasPrefix("--from=") }
        #expect(!copies.isEmpty)
        for copy in copies {
            for source in copy.dropLast() {
                let found = try Repository.entries(matching: source)
                #expect(!found.isEmpty, "COPY \(source): there is no such path")
                #expect(found.contains { letThrough.contains("!\($0)") }, "COPY \(source): .dockerignore hides it")
            }
        }
    }

    @Test func whatThePackageLoadsIsCopied() {
        let sources = dockerfile.arguments(of: "COPY").flatMap { $0.dropLast() }
        // SwiftPM needs the folders of the test targets; Sources has a link to migrations.
        for needed in ["Sources", "Tests", "migrations"] {
            #expect(sources.contains(needed))
        }
    }

    @Test func thePortIsTheSameEverywhere() throws {
        #expect(dockerfile.arguments(of: "EXPOSE").first?.first == Self.defaultPort)
        #expect(broker.ports?.first == "127.0.0.1:\(Self.defaultPort):\(Self.defaultPort)")
        let check = try #require(dockerfile.arguments(of: "HEALTHCHECK").first)
        #expect(check.contains { $0.contains("/dev/tcp/127.0.0.1/\(Self.defaultPort) ") })
        let help = try Program.help()
        #expect(help.description(of: "-p").contains(Self.defaultPort), "the program's default is another port")
    }

    @Test func theImageRunsTheProgramThatItInstalls() throws {
        let entrypoint = try #require(dockerfile.arguments(of: "ENTRYPOINT").first)
        #expect(entrypoint.prefix(2) == ["beanrow", "serve"])
        let installed = try #require(dockerfile.arguments(of: "COPY").first { $0[0].hasPrefix("--from=") })
        #expect(installed.last == "/usr/local/bin/beanrow")
        let stage = installed[0].dropFirst("--from=".count)
        #expect(dockerfile.arguments(of: "FROM").contains { $0.suffix(2) == ["AS", String(stage)] })
        #expect(dockerfile.arguments(of: "USER").last.map { $0 != ["root"] } == true)
    }

    @Test func everyFlagIsOneOfTheProgram() throws {
        let help = try Program.help()
        let used = dockerfile.arguments(of: "ENTRYPOINT") + dockerfile.arguments(of: "CMD") + [broker.command ?? []]
        let flags = used.joined().filter { $0.hasPrefix("-") }
        #expect(flags.contains("-l"), "without -l the container would serve itself alone")
        for flag in flags {
            #expect(help.flags.contains(flag), "the program has no \(flag)")
        }
    }

    @Test func everyEnvironmentNameOfOursIsReadByTheProgram() throws {
        let sources = try Repository.sources()
        let text = try Repository.text("Dockerfile") + Repository.text("docker-compose.yml")
        let names = Set(text.matches(of: /BEANROW_[A-Z_]+/).map { String($0.output) })
        #expect(names.contains("BEANROW_DATABASE"))
        for name in names {
            #expect(sources.contains("\"\(name)\""), "nothing in Sources reads \(name)")
        }
    }

    @Test func theBrokerWaitsForAHealthyDatabase() throws {
        #expect(broker.dependsOn?["postgres"]?.condition == "service_healthy")
        let check = try #require(database.healthcheck)
        #expect(check.test.prefix(2) == ["CMD", "pg_isready"])
        #expect(dockerfile.arguments(of: "HEALTHCHECK").count == 1)
    }

    @Test func theBrokerIsPointedAtTheDatabase() throws {
        let address = try #require(broker.environment?["BEANROW_DATABASE"])
        let url = try #require(URLComponents(string: address))
        #expect(url.scheme == "postgresql")
        #expect(url.host == "postgres")
        #expect(url.user == database.environment?["POSTGRES_USER"])
        #expect(url.path == "/" + (database.environment?["POSTGRES_DB"] ?? ""))
        #expect(url.password == nil, "a password belongs into PGPASSWORD, where it needs no escaping")
        #expect(broker.environment?["PGPASSWORD"] != nil)
        #expect(broker.environment?["PGPASSWORD"] == database.environment?["POSTGRES_PASSWORD"])
    }

    @Test func theJobsAreOnADeclaredVolume() throws {
        let mount = try #require(database.volumes?.first).split(separator: ":")
        #expect(compose.volumes.keys.contains(String(mount[0])))
        #expect(mount[1] == "/var/lib/postgresql/data")
    }

    @Test func thePageIsReachedByItsUserAndByNobodyElse() throws {
        let command = try #require(broker.command)
        let listener = try #require(command.firstIndex(of: "--http").map { command[$0 + 1] })
        let port = listener.split(separator: ":")[1]
        #expect(broker.ports?.contains("127.0.0.1:\(port):\(port)") == true)
        #expect(dockerfile.arguments(of: "EXPOSE").joined().contains(String(port)))

        let file = try #require(command.firstIndex(of: "--http-users").map { command[$0 + 1] })
        #expect(broker.configs?.map(\.target) == [file])
        let name = try #require(broker.configs?.first?.source)
        let content = try #require(compose.configs[name]?.content)
        let user = try #require(content.firstMatch(of: /^\$\{PAGE_USERS:-admin:(.*)\}$/)).output.1
        #expect(Passwords.matches("beanrow", String(user).replacing("$$", with: "$")))
    }

    @Test(arguments: ["script/run", "script/test", ".ci/run"])
    func scriptIsExecutable(path: String) {
        #expect(FileManager.default.isExecutableFile(atPath: Repository.root.appending(path: path).path))
    }
}

/// The part of docker-compose.yml that is checked.
struct Compose: Decodable {
    struct Service: Decodable {
        struct Dependency: Decodable {
            let condition: String
        }

        struct Healthcheck: Decodable {
            let test: [String]
        }

        struct Config: Decodable {
            let source: String
            let target: String
        }

        let command: [String]?
        let environment: [String: String]?
        let ports: [String]?
        let volumes: [String]?
        let healthcheck: Healthcheck?
        let configs: [Config]?
        let dependsOn: [String: Dependency]?

        enum CodingKeys: String, CodingKey {
            case command, environment, ports, volumes, healthcheck, configs
            case dependsOn = "depends_on"
        }
    }

    struct Volume: Decodable {}

    struct Content: Decodable {
        let content: String
    }

    let services: [String: Service]
    let configs: [String: Content]
    let volumes: [String: Volume?]
}

/// A Dockerfile as a list of instructions, with comments, continued lines and the JSON form of commands.
struct Dockerfile {
    private var instructions: [(name: String, arguments: [String])] = []

    init(_ text: String) {
        var line = ""
        for piece in text.split(separator: "\n") where !piece.drop(while: \.isWhitespace).hasPrefix("#") {
            if piece.hasSuffix("\\") {
                line += piece.dropLast()
                continue
            }
            line += piece
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 {
                instructions.append((String(words[0]), Self.arguments(words[1])))
            }
            line = ""
        }
    }

    /// The arguments of each instruction of that name, in order.
    func arguments(of name: String) -> [[String]] {
        instructions.filter { $0.name == name }.map(\.arguments)
    }

    private static func arguments(_ text: Substring) -> [String] {
        if let start = text.firstIndex(of: "["), text.hasSuffix("]"),
            let array = try? JSONDecoder().decode([String].self, from: Data(text[start...].utf8))
        {
            return text[..<start].split(separator: " ").map(String.init) + array
        }
        return text.split(separator: " ").map(String.init)
    }
}

/// The checkout that these tests were built from.
enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The top-level entries that a COPY source names; a `*` at its end matches anything.
    static func entries(matching source: String) throws -> [String] {
        let entries = try FileManager.default.contentsOfDirectory(atPath: root.path)
        return source.hasSuffix("*")
            ? entries.filter { $0.hasPrefix(source.dropLast()) } : entries.filter { $0 == source }
    }

    /// All Swift sources of the program, concatenated.
    static func sources() throws -> String {
        let files = FileManager.default.enumerator(at: root.appending(path: "Sources"), includingPropertiesForKeys: nil)
        let paths = try #require(files).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        return try paths.map { try String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
    }
}

/// The built program.
enum Program {
    struct Help {
        let text: String

        /// All flags, such as `-p` and `--port`.
        var flags: Set<String> {
            Set(text.matches(of: /(?:^|[\s,\/\[(|])(--?[A-Za-z][A-Za-z-]*)/).map { String($0.output.1) })
        }

        /// The help of a flag: its line and those that follow until the next flag.
        func description(of flag: String) -> String {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let startsFlag = { (line: Substring) in line.drop(while: \.isWhitespace).hasPrefix("-") }
            guard
                let start = lines.firstIndex(where: { line in
                    startsFlag(line) && line.split(whereSeparator: { " ,".contains($0) }).contains { $0 == flag }
                })
            else { return "" }
            let rest = lines[(start + 1)...].prefix { !$0.isEmpty && !startsFlag($0) }
            return ([lines[start]] + rest).joined(separator: "\n")
        }
    }

    static func help() throws -> Help {
        let program = try #require(location, "no beanrow beside the tests; name one in BEANROW_BINARY")
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = ["serve", "--help"]
        process.standardOutput = output
        try process.run()
        let text = try #require(String(bytes: output.fileHandleForReading.readDataToEndOfFile(), encoding: .utf8))
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Help(text: text)
    }

    /// BEANROW_BINARY, else the `beanrow` that was built into the tests' own directory or one above it.
    private static var location: URL? {
        if let path = ProcessInfo.processInfo.environment["BEANROW_BINARY"] { return URL(filePath: path) }
        var directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        while directory.path != "/" {
            let candidate = directory.appending(path: "beanrow")
            let isFile = (try? candidate.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
            if isFile && FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            directory.deleteLastPathComponent()
        }
        return nil
    }
}
