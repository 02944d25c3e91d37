import TestKit
import Testing

/// Libraries that were written for beanstalkd, each taken through its own API.
@Suite struct ClientTests {
    @Test(arguments: ClientLibrary.all)
    func aSessionThroughTheLibrary(_ library: ClientLibrary) throws {
        let interpreter = try library.findInterpreter()
        let server = try BrokerProcess.start()
        let port = try #require(server.port)
        try withExpiryOfASilentHolder {
            let output = try library.runSession(with: interpreter, port: port)
            #expect(output.hasSuffix("done\n"), "\(output)")
        }
    }

    @Test(.enabled(if: Server.current == .beanrow)) func statisticsByTheParsersOfMany() throws {
        let interpreter = try ClientLibrary.parsers.findInterpreter()
        let server = try BrokerProcess.start()
        let output = try ClientLibrary.parsers.runSession(with: interpreter, port: try #require(server.port))
        #expect(output.hasSuffix("done\n"), "\(output)")
    }
}

/// Accepts a failure of beanstalkd in the last step of a session, in which one connection holds a job too long and
/// another one waits for it: beanstalkd sometimes forgets such a connection while it is silent.
private func withExpiryOfASilentHolder(_ body: () throws -> Void) throws {
    try withKnownIssue("beanstalkd loses an expiry now and then", isIntermittent: true) {
        try body()
    } when: {
        Server.current == .beanstalkd
    } matching: { issue in
        "\(String(describing: issue.error))".contains("\na job held too long\n")
    }
}
