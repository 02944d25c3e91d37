import Foundation
import TestKit
import Testing

/// The page in a real browser, against a real broker: Debian's Chromium, driven by the Python scripts in `Sessions`.
@Suite struct PageTests {
    /// A script. Its arguments are the broker's program, the connection string and the schema. It prints a line as each
    /// step begins, and `done`.
    struct Session: Sendable, CustomTestStringConvertible {
        let name: String
        var testDescription: String { name }
    }

    static let sessions = ["screens", "actions", "bulk", "live", "reader"].map(Session.init)

    @Test(.enabled(if: Server.current == .beanrow), arguments: sessions)
    func aSessionInABrowser(_ session: Session) throws {
        let python = try findPython()
        let postgres = try TestPostgres.shared()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Sessions/\(session.name)_session.py").path
        let output = try runProgram(
            // No __pycache__ beside the scripts.
            python,
            ["-B", script, try BrokerProcess.beanrowPath(), postgres.connectionString, postgres.freshSchema()],
            within: 10 * patience)
        #expect(output.hasSuffix("done\n"), "\(output)")
    }

    private func findPython() throws -> String {
        let python = ProcessInfo.processInfo.environment["BEANROW_TEST_PYTHON"] ?? "/usr/bin/python3"
        do {
            let find =
                "import importlib.util, shutil, selenium; "
                + "assert importlib.util.find_spec('axe_playwright_python') and shutil.which('chromium') and shutil.which('chromedriver')"
            _ = try runProgram(python, ["-c", find])
        } catch {
            throw WireMismatch(
                "the browser is missing: install the Debian packages chromium and chromium-driver, and the PyPI packages "
                    + "selenium and axe-playwright-python for the Python that BEANROW_TEST_PYTHON names (script/test does so)."
                    + "\n\(error)")
        }
        return python
    }
}
