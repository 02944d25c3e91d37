import AdminAPI
import Foundation
import TestKit
import Testing

/// What the commands for scripts do over time: following, stopping, going on.
@Suite("Terminal: following and stopping") struct LifecycleTests {
    /// Jobs that have ended, in a tube that keeps history.
    @Test func tailOfEndedJobs() throws {
        let listener = try Listener()
        try listener.put("mail", ["more"])
        let address = URL(string: listener.url + "api/v1/tubes/mail/policy")!
        let set = "curl -fsS -X PUT -H 'Content-Type: application/json' -d '{\"history_seconds\": 3600}' '\(address)'"
        try eventually("the policy is set") { (try? runProgram("/bin/sh", ["-c", set])) != nil }
        let tmux = try Tmux(
            "\(BrokerProcess.beanrowPath()) tail mail --ended", environment: ["BEANROW_HTTP=\(listener.url)"])
        let worker = try listener.broker.connect()
        try worker.send("watch mail\r\n")
        try worker.expect("WATCHING 2")
        // It follows from its start on, which nothing shows.
        try tmux.waitUntil("ended jobs are shown") { screen in
            try listener.put("mail", ["more"])
            try worker.send("reserve\r\n")
            let id = try worker.expectPrefix("RESERVED").split(separator: " ")[0]
            try worker.expect("more")
            try worker.send("delete \(id)\r\n")
            try worker.expect("DELETED")
            return screen.contains("finished") && screen.contains("reserves 1")
        }
    }

    /// Ctrl-C stops an operation, which says how far it has come, and can be resumed.
    @Test func stoppedAndResumed() throws {
        let listener = try Listener()
        let postgres = try TestPostgres.shared()
        let schema = listener.broker.configuration.schema
        _ = try postgres.psql(
            "select count(*) from \(schema).put_many('many', array_fill('x'::bytea, array[150000]))")
        try listener.expect("current-jobs-ready", of: "many", is: 150_000)
        let beanrow = try BrokerProcess.beanrowPath()
        let tmux = try Tmux(
            "trap : INT; \(beanrow) delete --tube many --yes; echo status $?", width: 100,
            environment: ["BEANROW_HTTP=\(listener.url)"])
        try tmux.expect("jobs deleted")
        try tmux.press("C-c")
        try tmux.expect("it is stopped.", "It goes on with: beanrow resume 1", "status 130")
        #expect(try listener.number("current-jobs-ready", of: "many") > 0)
        let done = try runProgram(
            "/usr/bin/env", ["BEANROW_HTTP=\(listener.url)", beanrow, "resume", "1", "--json"], within: 5 * patience)
        #expect(done.contains(#""state":"done""#), "\(done)")
        try listener.expect("current-jobs-ready", of: "many", is: 0)
        let unknown = try listener.run("resume 4711")
        #expect(unknown.status == 1)
    }

    /// https, with an authority of its own, before a listener that asks who it is.
    @Test func httpsAndPasswords() throws {
        let folder = NSTemporaryDirectory() + "beanrow-tls-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hash = try runProgram("/usr/bin/env", ["openssl", "passwd", "-6", "secret"])
        try "anna:\(hash)".write(toFile: "\(folder)/users", atomically: true, encoding: .utf8)
        try "anna:secret\n".write(toFile: "\(folder)/login", atomically: true, encoding: .utf8)
        let broker = try BrokerProcess.start(
            ["--http-users", "\(folder)/users", "--http-host", "localhost"], http: "127.0.0.1:0")
        defer { _ = try? broker.stop() }
        let url = try #require(broker.httpURL)
        let port = try #require(url.firstMatch(of: /:([0-9]+)\//)?.1)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "tls_proxy.py").path
        let proxy = try ChildProcess(
            "/usr/bin/env", ["python3", "-B", script, folder, String(port)], output: "\(folder)/log")
        defer { withExtendedLifetime(proxy) {} }
        try eventually("the proxy listens") { FileManager.default.fileExists(atPath: "\(folder)/port") }
        let address = "BEANROW_HTTP=https://localhost:\(try String(contentsOfFile: "\(folder)/port", encoding: .utf8))"
        let login = "--token-file \(folder)/login"
        let known = try Listener.run("tubes \(login) --ca-file \(folder)/ca.pem", environment: [address])
        #expect(known.status == 0, "\(known.printed)")
        let variable = try Listener.run(
            "top --once --json",
            environment: [address, "BEANROW_HTTP_TOKEN=anna:secret", "BEANROW_HTTP_CA_FILE=\(folder)/ca.pem"])
        #expect(variable.status == 0, "\(variable.printed)")
        let stranger = try Listener.run("tubes --ca-file \(folder)/ca.pem", environment: [address])
        #expect(stranger.status == 1)
        let unbelieved = try Listener.run("tubes \(login)", environment: [address])
        #expect(unbelieved.status == 1)
        #expect(unbelieved.printed.contains("--ca-file names an authority"), "\(unbelieved.printed)")
        let nonsense = try Listener.run("tubes --ca-file \(folder)/login", environment: [address])
        #expect(nonsense.status == 5)
        #expect(nonsense.printed.contains("has no certificate in PEM"), "\(nonsense.printed)")
    }
}
