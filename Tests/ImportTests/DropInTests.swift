import Foundation
import Testing

@testable import TestKit

/// `beanrow -b DIR` in place of a stopped `beanstalkd -b DIR`.
@Suite(.enabled(if: Original.isInstalled, "needs beanstalkd")) struct DropInTests {
    private let original = Original()

    @Test func theFirstStartImportsTheJobs() throws {
        try original.run { before in
            try before.put("first")
            try before.put("second")
            try before.reserve(1, then: "bury 1 5", "BURIED")
        }
        let files = try original.fingerprint()
        let first = try Embedded(original.folder)
        #expect(first.stderr.contains("imported beanstalkd's jobs"))
        try first.client.send("peek-buried\r\nreserve-with-timeout 0\r\ndelete 2\r\n")
        #expect(try first.client.expectJob("FOUND").id == 1)
        #expect(try first.client.expectJob().body == "second")
        try first.client.expect("DELETED")
        #expect(try first.client.put("third") == 3)

        // beanstalkd does not start on a folder that beanrow uses.
        let beanstalkd = try ChildProcess(
            ChildProcess.find("beanstalkd", orIn: ["/usr/bin"]),
            ["-l", "127.0.0.1", "-p", "\(ServerAddress.freePort())", "-b", original.folder],
            output: TestRun.shared.path("locked-out"))
        #expect(beanstalkd.waitForExit() == 10)
        try first.stop()

        let second = try Embedded(original.folder)
        #expect(!second.stderr.contains("imported beanstalkd's jobs"))
        #expect(try second.client.isThere(1))
        #expect(try !second.client.isThere(2))
        #expect(try second.client.isThere(3))
        try second.stop()
        #expect(try original.fingerprint() == files)

        // Back to beanstalkd, and then to beanrow again.
        try original.run { before in
            #expect(try before.isThere(2))
            try before.put("late")
        }
        let third = try Embedded(original.folder)
        #expect(third.stderr.contains("beanstalkd has written to the folder since it was imported"))
        #expect(try !third.client.isThere(2))
        try third.stop()
    }

    @Test func aDamagedLogFailsTheStart() throws {
        try original.run { try $0.put("first") }
        let file = try #require(try original.files.first)
        try original.replace(file, by: [9] + original.bytes(of: file).dropFirst())
        let refused = try Run(["-b", original.folder, "-l", "127.0.0.1", "-p", "0"])
        #expect(refused.code == 1)
        #expect(refused.output.contains("the unknown format version 9"))
        let cluster = original.folder + "/cluster/postmaster.pid"
        #expect(!FileManager.default.fileExists(atPath: cluster), "its PostgreSQL has ended too")
        try original.replace(file, by: [7] + original.bytes(of: file).dropFirst())
        let broker = try Embedded(original.folder)
        #expect(try broker.client.isThere(1))
        try broker.stop()
    }

    @Test func aFolderCanBeImportedIntoItself() throws {
        try original.run { try $0.put("first") }
        let run = try Run(["import", original.folder])
        #expect(run.code == 0, "\(run.output)")
        #expect(run.output.contains("jobs=1"))
        let broker = try Embedded(original.folder)
        #expect(try broker.client.isThere(1))
        try broker.stop()
    }
}
