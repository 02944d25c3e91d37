import Foundation
import TestKit
import Testing

/// docs/api.md, whose commands are run as printed.
@Suite struct PageOfTheAPITests {
    @Test func theCommandsWork() throws {
        let broker = try BrokerProcess.start(http: "127.0.0.1:0")
        let web = try WebClient(broker)
        // The tubes of the page exist, since somebody watches them.
        let client = try broker.connect()
        try client.send("watch mail\r\n")
        try client.expect("WATCHING 2")
        let page = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/api.md"),
            encoding: .utf8)
        let blocks = page.components(separatedBy: "```sh\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        let commands = blocks.flatMap { $0.split(separator: "\n") }
        #expect(commands.count > 12)
        for command in commands {
            // -f: an answer with a status of 400 or more is a failure.
            let shown = command.replacing("curl -s", with: "curl -fs").replacing(
                "127.0.0.1:11380", with: "127.0.0.1:\(web.port)")
            let output = try runProgram("/bin/sh", ["-c", String(shown)])
            #expect(!output.isEmpty, "\(command)")
            if command.contains("/api/v1/"), !command.contains("events") {
                #expect(throws: Never.self, "\(command)") {
                    try JSONSerialization.jsonObject(with: Data(output.utf8))
                }
            }
        }
    }
}
