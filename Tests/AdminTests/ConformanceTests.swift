import Foundation
import TestKit
import Testing

/// What `openapi.json` says, against what the broker does.
@Suite struct ConformanceTests {
    /// Schemathesis makes requests, right and wrong ones, and fails on an answer that the description does not allow.
    @Test func theDescriptionIsTrue() throws {
        let broker = try BrokerProcess.start(http: "127.0.0.1:0")
        let web = try WebClient(broker)
        let client = try broker.connect()
        try client.send("use mail\r\nput 0 0 60 5\r\nhello\r\nput 0 3600 60 5\r\nworld\r\n")
        try client.expect("USING mail")
        for _ in 0..<2 { _ = try client.expectInserted() }
        let python = ProcessInfo.processInfo.environment["BEANROW_TEST_PYTHON"] ?? "python3"
        let tool = URL(filePath: python).deletingLastPathComponent().appending(path: "schemathesis").path
        // It keeps notes in the folder where it runs.
        let folder = "\(scratchDirectory)/beanrow-conformance-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let output = try runProgram(
            "/bin/sh",
            [
                "-c", "cd \"$0\" && exec \"$@\"", folder, tool, "run",
                "http://127.0.0.1:\(web.port)/api/v1/openapi.json", "--phases", "examples,coverage,fuzzing",
                "--max-examples", "15", "--max-time", "60", "--seed", "1", "--checks", "all",
                // A stream of events has no end.
                "--exclude-operation-id", "events",
                // Everybody is heard on a loopback address.
                "--exclude-checks", "ignored_auth", "--suppress-health-check", "all", "--no-color",
            ], within: 5 * patience)
        // A failure is an exit code, which has been thrown.
        #expect(output.contains("Test cases:"), "\(output.suffix(8000))")
        #expect(broker.exitCode == nil)
        #expect(try web.get("/readyz").status == 200)
    }
}
