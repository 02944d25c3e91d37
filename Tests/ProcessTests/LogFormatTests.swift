import Foundation
import TestKit
import Testing

/// `--log-format` and `--log-level`: what a reader of log lines gets.
@Suite("Log formats of the process") struct LogFormatTests {
    private func run(_ arguments: String) throws -> [String] {
        let printed = try runProgram(
            "/bin/sh", ["-c", "timeout 60 \(BrokerProcess.beanrowPath()) \(arguments) 2>&1; echo exit $?"])
        return printed.split(separator: "\n").map(String.init)
    }

    /// A broker that warns, and ends since its database is not there.
    private static let ends = "--no-http -p 0 -s 1 --database host=/nonexistent --database-timeout 0.2"

    @Test func json() throws {
        let lines = try run("--log-format json \(Self.ends)")
        #expect(lines.last == "exit 1")
        let records = try lines.dropLast().map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
        #expect(records.count >= 2)
        for record in records {
            #expect((record["time"] as? String)?.wholeMatch(of: /[\d-]{10}T[\d:]{8}\.\d{3}Z/) != nil)
            #expect(record["level"] is String && record["message"] is String && record["source"] is String)
        }
        #expect(records.first?["message"] as? String == "-s has no effect: jobs are kept in PostgreSQL")
        #expect(records.last?["level"] as? String == "critical")
    }

    @Test func logfmt() throws {
        let broker = try BrokerProcess.start(["--log-format", "logfmt", "-s", "1"])
        let lines = broker.stderr.split(separator: "\n")
        #expect(
            lines.contains { $0.contains(#" level=warning message="-s has no effect: jobs are kept in PostgreSQL" "#) })
        #expect(
            lines.contains {
                $0.contains(#/^time=\S+Z level=notice message=serving source=BeanrowServer address=\S+ /#)
            })
    }

    @Test func level() throws {
        let lines = try run("--log-level critical \(Self.ends)")
        #expect(lines.count == 2 && lines[0].contains(" critical beanrow"), "\(lines)")
        #expect(try run("--log-level loud \(Self.ends)").last == "exit 5")
        #expect(try run("--log-format xml \(Self.ends)").last == "exit 5")
    }
}
