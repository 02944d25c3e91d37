import TestKit
import Testing

/// An import takes all jobs or none, imports a folder once, and needs the folder and the schema for itself.
@Suite(.enabled(if: Original.isInstalled, "needs beanstalkd")) struct OnceTests {
    private let original = Original()
    private let target: Target

    init() throws {
        target = try Target()
    }

    private func ids() throws -> String {
        try target.value("select string_agg(id::text, ' ' order by id) from job")
    }

    @Test func aSecondImportDoesNothing() throws {
        try original.run { before in
            try before.put()
            try before.put()
        }
        let files = try original.fingerprint()
        #expect(try target.importing(original.folder).code == 0)
        let after = try target.serve()
        let client = try after.connect()
        try client.send("delete 1\r\n")
        try client.expect("DELETED")
        // A second import does nothing, so it may run while the schema is served.
        let second = try target.importing(original.folder)
        #expect(second.code == 0)
        #expect(second.output.contains("have been imported before"))
        #expect(try ids() == "2")

        let copy = original.folder + "-copy"
        _ = try runProgram("/bin/cp", ["-r", original.folder, copy])
        #expect(try target.importing(copy).output.contains("have been imported before"), "under another name too")
        #expect(try ids() == "2")
        #expect(try original.fingerprint() == files)
    }

    @Test func whatBeanstalkdWritesLaterIsNotImported() throws {
        try original.run { try $0.put() }
        #expect(try target.importing(original.folder).code == 0)
        // beanstalkd was started and stopped: it has made a file and written no record.
        try original.run { _ in }
        #expect(try target.importing(original.folder).code == 0)
        try original.run { try $0.put() }
        let run = try target.importing(original.folder)
        #expect(run.code == 1)
        #expect(run.output.contains("beanstalkd has written to the folder since it was imported"))
        #expect(try ids() == "1")
    }

    @Test func aFolderWithoutJobsCanBeImportedLater() throws {
        try original.run { _ in }
        let run = try target.importing(original.folder)
        #expect(run.code == 0)
        #expect(run.output.contains("has no jobs"))
        try original.run { try $0.put() }
        #expect(try target.importing(original.folder).code == 0)
        #expect(try ids() == "1")
    }

    @Test func idsContinueAfterJobsThatWereAllDeleted() throws {
        try original.run { before in
            for _ in 0..<3 { try before.put() }
            try before.send("delete 1\r\ndelete 2\r\ndelete 3\r\n")
            for _ in 0..<3 { try before.expect("DELETED") }
        }
        #expect(try target.importing(original.folder).code == 0)
        #expect(try target.serve().connect().put() == 4)
    }

    @Test func anIDInUseRollsTheImportBack() throws {
        try original.run { before in
            for number in 1...6000 { try before.put("job \(number)") }
        }
        let broker = try target.serve()
        try broker.connect().put()
        try broker.stop()
        // The id of the last job, which is in the last batch.
        _ = try target.value("update job set id = 6000")
        let run = try target.importing(original.folder)
        #expect(run.code == 1)
        #expect(run.output.contains("The schema has a job 6000 already"))
        #expect(try ids() == "6000")
        #expect(try target.value("select sum(ready) from tubes") == "1")

        _ = try target.value("delete from job; delete from tube_count; delete from ledger")
        #expect(try target.importing(original.folder).code == 0)
        #expect(try target.value("select sum(ready) from tubes") == "6000")
    }

    @Test func aSchemaThatIsServedIsLeftAlone() throws {
        try original.run { try $0.put() }
        let broker = try target.serve()
        let run = try target.importing(original.folder)
        #expect(run.code == 1)
        #expect(run.output.contains("The schema is being served by"))
        #expect(run.output.contains("(pid \(broker.pid))"))
        // A killed broker does not count, although its row is still there.
        broker.kill9()
        #expect(try target.importing(original.folder).code == 0)
        #expect(try ids() == "1")
    }

    @Test func aFolderThatBeanstalkdUsesIsLeftAlone() throws {
        let before = try original.start()
        try before.put()
        for arguments in [["serve", "-l", "127.0.0.1", "-p", "0", "-b"], ["import"]] {
            let run = try Run(arguments + [original.folder])
            #expect(run.code == 10, "\(run.output)")
            #expect(run.output.contains("uses the"))
            #expect(run.output.contains("(pid "))
        }
        #expect(try target.importing(original.folder).code == 10)
        try before.put()
        original.kill9()
        #expect(try target.importing(original.folder).code == 0)
        #expect(try ids() == "1 2")
    }
}
