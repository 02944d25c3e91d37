import AdminAPI
import Foundation
import TestKit
import Testing

/// The commands for scripts, without a terminal, against a real broker.
@Suite("Terminal: commands for scripts") struct ScriptTests {
    @Test func aJobsLife() throws {
        let listener = try Listener()
        let id = try listener.run("put mail 'hello world' --priority 7 --ttr 2m").json(PutAnswer.self).id
        let detail = try listener.run("job \(id)").json(JobDetail.self)
        #expect(detail.job.priority == 7 && detail.job.ttrSeconds == 120 && detail.job.tube == "mail")
        #expect(detail.body?.data == "hello world")
        #expect(try listener.run("job \(id) --body-only").printed.hasPrefix("hello world\n"))
        #expect(try listener.run("bury \(id)").json(ActionAnswer.self).changed == 1)
        #expect(try listener.run("jobs --tube mail --state buried").json(JobPage.self).jobs.map(\.id) == [id])
        #expect(try listener.run("kick \(id)").json(ActionAnswer.self).changed == 1)
        #expect(try listener.run("move \(id) --to other").json(ActionAnswer.self).changed == 1)
        try eventually("the broker knows the new tube") {
            try listener.run("tubes oth").json(TubePage.self).tubes.map(\.name) == ["other"]
        }
        let deleted = try listener.run("delete \(id) --yes")
        #expect(deleted.status == 0)
        #expect(try deleted.json(ActionAnswer.self).changed == 1)
        let gone = try listener.run("job \(id)")
        #expect(gone.status == 1)
        #expect(gone.printed.hasPrefix("beanrow job: "))
    }

    @Test func theBodyFromStandardInput() throws {
        let listener = try Listener()
        let file = NSTemporaryDirectory() + "beanrow-body-\(UUID())"
        defer { unlink(file) }
        try Data([0xFF, 0x00, 0x0A]).write(to: URL(filePath: file))
        let id = try listener.run("put mail", input: file).json(PutAnswer.self).id
        let body = try listener.run("job \(id)").json(JobDetail.self).body
        #expect(body?.encoding == "base64" && body?.bytes == 3)
    }

    /// What matches a filter is counted, done in an operation, and said.
    @Test func aFilter() throws {
        let listener = try Listener()
        try listener.put("mail", (1...30).map { "job \($0)" })
        try listener.put("other", ["job 1"])
        let refused = try listener.run("delete --tube mail --body 'job 1'")
        #expect(refused.status == 1)
        #expect(
            refused.printed.contains(
                "Delete 11 jobs (tube mail, body has \"job 1\")? Nobody is there to ask; --yes says yes."),
            "\(refused.printed)")
        let done = try listener.run("delete --tube mail --body 'job 1' --yes")
        #expect(done.status == 0, "\(done.printed)")
        #expect(try done.json(Operation.self).changed == 11)
        try listener.expect("current-jobs-ready", of: "mail", is: 19)
        try listener.expect("current-jobs-ready", of: "other", is: 1)
        let nothing = try listener.run("kick --tube mail --state buried --yes")
        #expect(nothing.status == 0)
        #expect(try nothing.json(ActionAnswer.self).changed == 0)
    }

    @Test func tubes() throws {
        let listener = try Listener()
        try listener.put("mail", ["a", "b", "c"])
        #expect(try listener.run("pause mail 90").status == 0)
        try listener.expect("pause", of: "mail", is: 90)
        #expect(try listener.run("unpause mail").status == 0)
        try listener.expect("pause-time-left", of: "mail", is: 0)
        #expect(try listener.run("clear mail").status == 1, "it is not asked without a terminal")
        #expect(try listener.run("clear mail --yes").json(ActionAnswer.self).changed == 3)
        try listener.expect("current-jobs-ready", of: "mail", is: 0)
    }

    /// All jobs, over several answers of the listener.
    @Test func pagesOfJobs() throws {
        let listener = try Listener()
        try listener.put("mail", (1...130).map { "\($0)" })
        #expect(try listener.run("jobs --limit 1000").json(JobPage.self).jobs.count == 130)
        let first = try listener.run("jobs").json(JobPage.self)
        #expect(first.jobs.count == 100)
        let next = try #require(first.next)
        #expect(try listener.run("jobs --after '\(next)'").json(JobPage.self).jobs.count == 30)
    }

    @Test(arguments: [
        ("delete", "Name jobs by their ids"), ("kick 1 --tube mail", "exclude each other"),
        ("jobs --state held", "--state takes"), ("jobs --older-than soon", "--older-than takes a time"),
        ("pause mail 0", "a second or more"), ("top --interval 0", "--interval takes"),
        ("top http://", "is no address"),
        ("tubes --http 'a b'", "is no address"), ("jobs --created-after yesterday", "--created-after takes a time"),
    ])
    func usage(words: String, says: String) throws {
        let outcome = try Listener.run(words)
        #expect(outcome.status == 5)
        #expect(outcome.printed.contains(says), "\(outcome.printed)")
    }

    @Test func refusals() throws {
        let away = try Listener.run("tubes --http 127.0.0.1:1")
        #expect(away.status == 1)
        #expect(away.printed.contains("beanrow tubes: No answer from 127.0.0.1:1: nothing listens there."))
        let listener = try Listener()
        let missing = try listener.run("delete 4711 --yes")
        #expect(missing.status == 1, "who names a job wants it done")
        // Something else listens there.
        let foreign = try Listener.run("tubes --http \(listener.broker.address.tcp)")
        #expect(foreign.status == 1)
        let noTerminal = try listener.run("top \(listener.url)")
        #expect(noTerminal.status == 1)
        #expect(noTerminal.printed.contains("is no terminal; --once prints without one."))
    }

    @Test func topOnce() throws {
        let listener = try Listener()
        try listener.put("mail", ["a"])
        let text = try listener.run("top --once")
        #expect(text.printed.contains("ready 1"))
        #expect(text.printed.contains("mail"))
        #expect(try listener.run("top --once --json").printed.contains(#""name":"mail""#))
    }

    /// Over a Unix socket, and with a token from the environment or a file.
    @Test func socketsAndTokens() throws {
        let folder = NSTemporaryDirectory() + "beanrow-admin-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "0123456789abcdef0123456789abcdef\n".write(toFile: "\(folder)/token", atomically: true, encoding: .utf8)
        let broker = try BrokerProcess.start(["--http-token", "\(folder)/token"], http: "unix:\(folder)/http")
        try eventually("the socket is there") { FileManager.default.fileExists(atPath: "\(folder)/http") }
        let address = "BEANROW_HTTP=unix:\(folder)/http"
        #expect(try Listener.run("tubes", environment: [address]).status == 1)
        let token = "BEANROW_HTTP_TOKEN=0123456789abcdef0123456789abcdef"
        #expect(try Listener.run("tubes", environment: [address, token]).status == 0)
        #expect(try Listener.run("tubes --token-file \(folder)/token", environment: [address]).status == 0)
        try broker.stop()
    }
}

extension ServerAddress {
    fileprivate var tcp: String { if case .tcp(let port) = self { "127.0.0.1:\(port)" } else { "" } }
}
