import Foundation
import TestKit
import Testing

/// A client library, and the script in `Sessions` that uses its API.
struct ClientLibrary: Sendable, CustomTestStringConvertible {
    let name: String
    /// The program that runs the script.
    let interpreter: String
    /// Options of the interpreter.
    var options: [String] = []
    /// Arguments with which the interpreter loads the library; it fails if the library is missing.
    let load: [String]
    /// The script. Its argument is the server's port on 127.0.0.1. It prints a line as each step begins, and `done`.
    let script: String
    /// The package to install.
    let packages: String

    static let all: [ClientLibrary] = [
        .python("greenstalk"),
        .python("pystalk"),
        .python("pystalkd"),
        ClientLibrary(
            name: "pheanstalk",
            interpreter: "php",
            load: ["-r", "require 'Pheanstalk/autoload.php';"],
            script: "pheanstalk_session.php",
            packages: "the Debian packages php-cli and php-pda-pheanstalk"
        ),
        ClientLibrary(
            name: "Symfony Messenger",
            interpreter: "php",
            load: ["-r", "require 'Symfony/Component/Messenger/Bridge/Beanstalkd/autoload.php';"],
            script: "messenger_session.php",
            packages: "the Debian packages php-cli and php-symfony-beanstalkd-messenger"
        ),
        ClientLibrary(
            name: "beaneater",
            interpreter: "ruby",
            load: ["-e", "require 'beaneater'"],
            script: "beaneater_session.rb",
            packages: "the Debian packages ruby and ruby-beaneater"
        ),
    ]

    /// How a dozen libraries, most of them without a package, read statistics.
    static let parsers = ClientLibrary(
        name: "the parsers of many",
        interpreter: "python3",
        options: ["-B"],
        load: ["-c", "import yaml"],
        script: "parsers_session.py",
        packages: "the PyPI package PyYAML, for the Python that BEANROW_TEST_PYTHON names"
    )

    private static func python(_ name: String) -> ClientLibrary {
        ClientLibrary(
            name: name,
            interpreter: "python3",
            // No __pycache__ beside the scripts.
            options: ["-B"],
            load: ["-c", "import \(name)"],
            script: "\(name)_session.py",
            packages: "the PyPI package \(name), for the Python that BEANROW_TEST_PYTHON names"
        )
    }

    var testDescription: String { name }

    /// The first interpreter that can load the library: PATH may name another one before the distribution's.
    func findInterpreter() throws -> String {
        var reasons = ""
        for candidate in interpreters() {
            do {
                _ = try runProgram(candidate, options + load)
                return candidate
            } catch {
                reasons += "\n\(error)"
            }
        }
        throw WireMismatch("\(name) is missing: install \(packages) (script/test does so).\(reasons)")
    }

    /// Runs the script to its end and returns its output; a failure throws with that output.
    func runSession(with interpreter: String, port: UInt16) throws -> String {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Sessions/\(script)").path
        return try runProgram(interpreter, options + [script, String(port)], within: 5 * patience)
    }

    private func interpreters() -> [String] {
        let environment = ProcessInfo.processInfo.environment
        if interpreter == "python3", let python = environment["BEANROW_TEST_PYTHON"] { return [python] }
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(interpreter)" }
            .filter { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
