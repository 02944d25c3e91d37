import Foundation
import TestKit
import Testing

/// `beanrow top` of Debian's beanstalkd: counts only.
@Suite("Terminal: beanstalkd") struct CountsTests {
    private let server: BrokerProcess
    private let address: String

    init() throws {
        server = try BrokerProcess(BrokerProcess.Configuration(server: .beanstalkd))
        address = "127.0.0.1:\(server.port!)"
        let client = try server.connect()
        try client.send("use mail\r\nput 0 0 60 1\r\na\r\nput 0 100 60 1\r\nb\r\n")
        try client.expect("USING mail")
        try client.expectInserted()
        try client.expectInserted()
    }

    private func top(_ arguments: String) throws -> String { "\(try BrokerProcess.beanrowPath()) top \(arguments)" }

    @Test(arguments: ["beanstalkd://", ""]) func tubes(scheme: String) throws {
        let tmux = try Tmux(top("--interval 0.2 \(scheme)\(address)"), width: 100)
        try tmux.expect("counts only", "2 tubes", "mail", "ready 1", "delayed 1")
        let client = try server.connect()
        try client.send("put 0 0 60 1\r\na\r\n")
        try client.expectInserted()
        try tmux.expect("ready 2")
        try tmux.press("N", "End", "Enter")
        try tmux.expect("tells counts only")
        try tmux.press("d")
        try tmux.expect("Nothing can be done through beanstalkd's protocol")
        try tmux.press("/")
        try tmux.type("mai")
        try tmux.press("Enter")
        try tmux.expect("1 of 2 tubes", "mail")
    }

    @Test func onceAndJSON() throws {
        let once = try Listener.run("top --once --interval 0.1 \(address)")
        #expect(once.status == 0)
        #expect(once.printed.contains(/mail +.* 1 +0 +1 +0/), "\(once.printed)")
        #expect(!once.printed.contains("\u{1b}"))
        let json = try Listener.run("top --once --json beanstalkd://\(address)")
        #expect(json.printed.contains(#""name":"mail""#))
        #expect(json.printed.contains(#""delayed":1"#))
    }

    /// Many tubes are asked about in one go.
    @Test func manyTubes() throws {
        let client = try server.connect()
        for number in 0..<300 {
            try client.send("use tube-\(number)\r\nput 0 0 60 1\r\na\r\n")
            try client.expect("USING tube-\(number)")
            try client.expectInserted()
        }
        let json = try Listener.run("top --once --json beanstalkd://\(address)")
        #expect(json.printed.contains(#""name":"tube-299""#))
        #expect(json.printed.contains(#""tubes":302"#))
    }

    @Test func nobodyIsThere() throws {
        let away = try Listener.run("top --once beanstalkd://127.0.0.1:1")
        #expect(away.status == 1)
        #expect(away.printed.contains("No answer from 127.0.0.1:1: Connection refused."), "\(away.printed)")
    }
}
