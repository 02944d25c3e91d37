import Foundation
import Logging
import Testing

@testable import LogOutput

/// Records as lines.
@Suite("Log formats") struct FormatTests {
    private let record = LogRecord(
        time: Date(timeIntervalSince1970: 1_700_000_000.042), level: .warning,
        message: "a \"tube\"\nwith \\ and \u{1b}[31m and \u{2028} and ü", source: "PostgresStore",
        metadata: ["job": "5", "time": "3 s", "list": ["a b", "c"], "pair": ["k": "v"], "empty": ""])

    @Test func json() throws {
        let line = LogFormat.json.line(record)
        #expect(
            line == #"{"time":"2023-11-14T22:13:20.042Z","level":"warning","#
                + #""message":"a \"tube\"\nwith \\ and \u001b[31m and \u2028 and ü","source":"PostgresStore","#
                + #""empty":"","job":"5","list":["a b","c"],"pair":{"k":"v"},"time_":"3 s"}"#)
        // Another reader of JSON gets the same text back.
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == record.message)
    }

    @Test func logfmt() {
        #expect(
            LogFormat.logfmt.line(record)
                == #"time=2023-11-14T22:13:20.042Z level=warning "#
                + #"message="a \"tube\"\nwith \\ and \u001b[31m and \u2028 and ü" source=PostgresStore "#
                + #"empty="" job=5 list="[\"a b\", \"c\"]" pair="[\"k\": \"v\"]" time_="3 s""#)
        let odd = LogRecord(
            time: record.time, level: .info, message: "a=b", source: "X", metadata: ["a key": "x=y", "": "z"])
        #expect(LogFormat.logfmt.line(odd).hasSuffix(#"message="a=b" source=X _=z a_key="x=y""#))
    }

    /// As swift-log's own handler writes it, which was there before.
    @Test func text() {
        let record = LogRecord(
            time: record.time, level: .info, message: "serving\n", source: "BeanrowServer",
            metadata: ["b": "2", "a": "x y"])
        let line = LogFormat.text.line(record)
        #expect(line.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} info beanrow: a=x y b=2 \[BeanrowServer\]/))
        #expect(line.hasSuffix(#"] serving\n"#))
    }

    /// A scalar beyond 16 bits that a terminal may act on becomes a pair.
    @Test func escapesOfFarScalars() {
        #expect(JSONText.string("\u{E0001}😀") == #""\udb40\udc01😀""#)
    }

    @Test(arguments: LogFormat.allCases) func aLongMessageIsCut(format: LogFormat) {
        let record = LogRecord(
            time: record.time, level: .info, message: String(repeating: "x", count: 100_000), source: "X")
        #expect(format.line(record).utf8.count < 9000)
    }
}
