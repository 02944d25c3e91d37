import Foundation
import TestKit
import Testing

/// Errors name their cause, at the place where it is first seen.
@Suite struct CauseTests {
    private func run(_ arguments: String) throws -> String {
        let beanrow = try BrokerProcess.beanrowPath()
        return try runProgram("/bin/sh", ["-c", "timeout 120 \(beanrow) \(arguments) 2>&1; echo exit $?"])
    }

    @Test(.enabled(if: geteuid() == 0, "only root mounts a disk"))
    func aDiskThatIsTooSmall() throws {
        let disk = try SmallDisk(megabytes: 12)
        let printed = try run("serve --no-http -p 0 -b \(disk.path)/data")
        #expect(printed.contains("No space left on device"), "\(printed)")
        #expect(!printed.contains("removing contents"))
        #expect(printed.hasSuffix("exit 1\n"))
    }

    @Test(.enabled(if: geteuid() == 0, "only root mounts a disk"))
    func aDiskThatIsFull() throws {
        let disk = try SmallDisk(megabytes: 200)
        let configuration = BrokerProcess.Configuration(dataDirectory: disk.path + "/data")
        #expect(try BrokerProcess(configuration).stop() == 0)
        disk.fill()
        let printed = try run("serve --no-http -p 0 -b \(disk.path)/data")
        #expect(printed.contains("o space left on"), "\(printed)")
        #expect(printed.hasSuffix("exit 1\n"))
        disk.free()
        #expect(try BrokerProcess(configuration).stop() == 0)
    }

    /// A broker has five sessions; the role may open three.
    @Test func aRoleThatMayOpenTooFewConnections() throws {
        let managed = try ManagedSchema()
        let login = "\(managed.name)_login"
        _ = try managed.migrate("up")
        _ = try managed.migrate("role", login)
        _ = try managed.postgres.psql("alter role \(login) login connection limit 3")
        let broker = try BrokerProcess.start(
            ["--database-timeout", "1"], schema: managed.name, database: managed.database(as: login))
        let missing = broker.stderr.split(separator: "\n").filter {
            $0.contains("a session with the database is missing")
        }
        #expect(missing.count == 2)
        #expect(missing.allSatisfy { $0.contains("too many connections for role") && $0.contains("connection limit") })
        // Logged before the line that the broker serves.
        let lines = broker.stderr.split(separator: "\n")
        #expect(lines.firstIndex { $0.contains("is missing") }! < lines.firstIndex { $0.contains("serving") }!)
        _ = try managed.postgres.psql("alter role \(login) connection limit 5")
        try eventually("the others are there") {
            broker.stderr.components(separatedBy: "the database is back").count == 3
        }
        try broker.takesAPut()
    }

    @Test func whatIsThereIsNotCalledMissing() throws {
        let broker = try BrokerProcess.start()
        #expect(!broker.stderr.contains("is missing"))
    }
}
