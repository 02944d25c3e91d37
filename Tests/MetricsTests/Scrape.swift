import Foundation
import TestKit

extension BrokerProcess {
    /// A broker that serves over HTTP too.
    static func withMetrics(
        _ options: [String] = [], postgres: TestPostgres? = nil, schema: String? = nil
    ) throws -> BrokerProcess {
        try BrokerProcess.start(options, postgres: postgres, schema: schema, http: "127.0.0.1:0")
    }

    var httpPort: UInt16 {
        get throws {
            guard let port = httpURL.flatMap({ URL(string: $0)?.port }) else {
                throw WireMismatch("no address of HTTP in the log: \(stderr)")
            }
            return UInt16(port)
        }
    }

    /// What `GET /metrics` says.
    func scrapedText() throws -> String {
        let answer = try WebClient(port: httpPort).get("/metrics")
        guard answer.status == 200, answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8" else {
            throw WireMismatch("\(answer.status) \(answer.headers)")
        }
        return String(decoding: answer.body, as: UTF8.self)
    }

    func scrape() throws -> Exposition { try Exposition(scrapedText()) }

    /// Waits until a sample has this value: a scrape is up to a second old.
    func waitForSample(
        _ name: String, _ labels: [String: String] = [:], is value: Double?, fileID: String = #fileID, line: Int = #line
    ) throws {
        try eventually("\(name)\(labels) is \(value.map { "\($0)" } ?? "absent")", fileID: fileID, line: line) {
            try scrape().value(name, labels) == value
        }
    }
}

/// What promtool says of a text; empty if it finds nothing.
func checkedByPromtool(_ text: String) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "beanrow-metrics-\(UUID().uuidString)").path
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try runProgram("/bin/sh", ["-c", "exec promtool check metrics <\"$0\"", path])
}

/// The files of the repository.
let repository = URL(filePath: #filePath).appending(path: "../../..").standardized
