import AdminAPI
import Foundation
import TestKit

/// A broker with its HTTP listener, and the commands that talk to it.
final class Listener {
    let broker: BrokerProcess
    /// The listener's URL, as the broker has logged it.
    let url: String

    init(_ options: [String] = []) throws {
        broker = try BrokerProcess.start(options, http: "127.0.0.1:0")
        guard let found = broker.httpURL else { throw WireMismatch("it serves nothing over HTTP:\n\(broker.stderr)") }
        url = found
    }

    /// What a command prints, on both outputs, and its exit status.
    struct Outcome {
        let status: Int
        let printed: String

        /// The last line as JSON.
        func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
            let line = printed.split(separator: "\n").last { $0.hasPrefix("{") }.map(String.init) ?? ""
            do {
                return try AdminAPI.decoder().decode(Value.self, from: Data(line.utf8))
            } catch {
                throw WireMismatch("\(printed) is not \(type): \(error)")
            }
        }
    }

    /// Runs `beanrow` with these words of a shell, without a terminal.
    func run(_ words: String, input: String = "/dev/null") throws -> Outcome {
        try Self.run(words, environment: ["BEANROW_HTTP=\(url)"], input: input)
    }

    static func run(_ words: String, environment: [String] = [], input: String = "/dev/null") throws -> Outcome {
        let beanrow = try BrokerProcess.beanrowPath()
        let printed = try runProgram(
            "/usr/bin/env",
            environment + [
                "/bin/sh", "-c", "timeout 60 \(beanrow) \(words) <\(input) 2>&1; status=$?; echo; echo exit $status",
            ])
        // The `echo` before it sees to a line of its own.
        let parts = printed.split(separator: "\nexit ")
        return Outcome(status: Int(parts.last!.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1, printed: printed)
    }

    /// Puts jobs through the protocol.
    func put(_ tube: String, _ bodies: [String]) throws {
        let client = try broker.connect()
        try client.send("use \(tube)\r\n")
        try client.expect("USING \(tube)")
        for body in bodies {
            try client.send("put 0 0 60 \(body.utf8.count)\r\n\(body)\r\n")
            try client.expectInserted()
        }
    }

    /// Waits for a number of `stats-tube`, which follows what SQL has changed.
    func expect(
        _ key: String, of tube: String, is value: Int, fileID: String = #fileID, line: Int = #line
    ) throws {
        try eventually("\(key) of \(tube) is \(value)", fileID: fileID, line: line) {
            try number(key, of: tube) == value
        }
    }

    /// A number of `stats-tube`; 0 if there is no such tube.
    func number(_ key: String, of tube: String) throws -> Int {
        let client = try broker.connect()
        try client.send("stats-tube \(tube)\r\n")
        return (try? client.expectOK().number(key)) ?? 0
    }
}
