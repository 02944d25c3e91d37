import Foundation
import TestKit
import Testing

/// A session of greenstalk, a client library that was written for beanstalkd.
@Suite struct GreenstalkTests {
    @Test func aSessionThroughTheLibrary() throws {
        let server = try BrokerProcess.start()
        let port = try #require(server.port)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("greenstalk_session.py").path
        let python = try Self.python()
        try withExpiryOfASilentHolder {
            let output = try runProgram(python, [script, String(port)])
            #expect(output.hasSuffix("done\n"), "\(output)")
        }
    }

    /// A Python that has greenstalk: named by BEANROW_TEST_PYTHON, else the one on PATH.
    private static func python() throws -> String {
        let python = ProcessInfo.processInfo.environment["BEANROW_TEST_PYTHON"] ?? "/usr/bin/env"
        let arguments = python == "/usr/bin/env" ? ["python3"] : []
        do {
            let output = try runProgram(
                python, arguments + ["-c", "import greenstalk, sys; print(sys.executable)"])
            return output.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw WireMismatch(
                "This test needs the Python package greenstalk: install it (python3 -m venv V && V/bin/pip install "
                    + "greenstalk) and set BEANROW_TEST_PYTHON=V/bin/python.\n\(error)")
        }
    }
}
