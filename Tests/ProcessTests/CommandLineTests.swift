import Foundation
import TestKit
import Testing

/// The command line, which is compatible with beanstalkd.
@Suite struct CommandLineTests {
    /// Runs a command.
    /// - Returns: What it prints, and its exit status.
    private func run(_ arguments: String, as name: String? = nil) throws -> String {
        let beanrow = try name ?? BrokerProcess.beanrowPath()
        return try runProgram("/bin/sh", ["-c", "timeout 20 \(beanrow) \(arguments) 2>&1; echo exit $?"])
    }

    @Test(arguments: [
        ("-q", "Unknown option", 5),
        ("-z ten", "invalid", 5),
        ("-z", "Missing value", 5),
        ("-p 65536", "invalid", 5),
        ("-p nosuchservice", "invalid", 5),
        ("-f x", "invalid", 5),
        ("--database a --data-dir b", "exclude each other", 5),
        ("-u nosuchuser", "there is no user named nosuchuser", 32),
        ("-l 192.0.2.1 -p 0 --database x", "cannot listen on 192.0.2.1", 111),
        ("-l unix:/dev/null --database x", "not a socket", 111),
        ("-p 0 --database host=/nonexistent --database-timeout 0.2", "cannot connect to PostgreSQL", 1),
    ])
    func badInput(arguments: String, says: String, exit: Int) throws {
        let printed = try run(arguments)
        #expect(printed.contains(says))
        #expect(printed.hasSuffix("exit \(exit)\n"))
    }

    @Test func aTakenPort() throws {
        let server = try BrokerProcess.start()
        let printed = try run("-p \(server.port!) --database x")
        #expect(printed.contains("cannot listen on 127.0.0.1 port \(server.port!)"))
        #expect(printed.hasSuffix("exit 111\n"))
    }

    @Test func versionAndHelp() throws {
        #expect(try run("-v") == "beanrow 0.1.0\nexit 0\n")
        // Clustered, as getopt allows.
        #expect(try run("-VFv") == "beanrow 0.1.0\nexit 0\n")
        let help = try run("-h")
        #expect(help.contains("-l <addr>"))
        #expect(help.hasSuffix("exit 0\n"))
    }

    @Test func underTheNameBeanstalkd() throws {
        let directory = NSTemporaryDirectory() + "beanrow-name-\(UUID())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/beanstalkd", withDestinationPath: BrokerProcess.beanrowPath())
        #expect(try run("-v", as: directory + "/beanstalkd") == "beanstalkd 1.13 (beanrow 0.1.0)\nexit 0\n")
    }

    @Test(arguments: [
        (["-f0"], "durability=synchronous"), (["-f", "50"], "durability=asynchronous"),
        (["-VF"], "durability=asynchronous"), (["-F", "-f0"], "durability=synchronous"),
        (["-f0", "-F"], "durability=asynchronous"), (["-Ff", "0"], "durability=synchronous"),
    ])
    func theLastOfTheDurabilityFlagsCounts(options: [String], expected: String) throws {
        let server = try BrokerProcess.start(options)
        #expect(server.stderr.contains(expected))
        #expect(server.stderr.contains("before they are on disk") == expected.hasSuffix("asynchronous"))
    }

    @Test func warnsAboutFlagsWithoutEffect() throws {
        let server = try BrokerProcess.start(["-s", "4096", "-cn", "-z", "2000000000"])
        for flag in ["-s", "-c", "-n"] { #expect(server.stderr.contains("\(flag) has no effect")) }
        #expect(server.stderr.contains("maximum job size was set to 1073741824"))
        let client = try server.connect()
        try client.send("stats\r\n")
        try client.expectOK().expect(["max-job-size": "1073741824"])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func theUserOfTheProcess() throws {
        let server = try BrokerProcess.start(["-u", "postgres"])
        let status = try String(contentsOfFile: "/proc/\(server.pid)/status", encoding: .utf8)
        let uid = getpwnam("postgres")!.pointee.pw_uid
        #expect(status.contains("Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)\n"))
    }

    @Test func noPasswordIsLogged() throws {
        let printed = try run("-VV -p 0 --database-timeout 0.2 --database 'host=/nonexistent password=sesame'")
        #expect(!printed.contains("sesame"))
    }
}
