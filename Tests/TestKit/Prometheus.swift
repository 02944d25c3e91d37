import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A Prometheus that belongs to one test.
public final class Prometheus: Sendable {
    private let child: ChildProcess
    private let note: String
    private let directory: String
    public let port: UInt16

    /// Starts it, and returns once it answers queries.
    ///
    /// - Parameters:
    ///   - job: The label `job` of what it scrapes.
    ///   - targets: Ports of 127.0.0.1 that it scrapes each second.
    /// - Throws: `WireMismatch` with its output if it does not start.
    public init(job: String, targets: [UInt16]) throws {
        directory = TestRun.shared.path("prometheus")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let list = targets.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
        try """
        global: {scrape_interval: 1s, scrape_timeout: 1s}
        scrape_configs: [{job_name: \(job), static_configs: [{targets: [\(list)]}]}]

        """.write(toFile: "\(directory)/prometheus.yml", atomically: false, encoding: .utf8)
        port = try ServerAddress.freePort()
        let output = "\(directory)/log"
        child = try ChildProcess(
            ChildProcess.find("prometheus", orIn: ["/usr/bin"]),
            [
                "--config.file=\(directory)/prometheus.yml", "--storage.tsdb.path=\(directory)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
            ], output: output)
        note = TestRun.shared.note(pid: child.pid)
        try eventually("Prometheus is ready") {
            if let code = child.exitCode { throw WireMismatch("prometheus ended with \(code): \(child.printed)") }
            return (try? WebClient(port: port).get("/-/ready").status) == 200
        }
    }

    deinit {
        child.signal(SIGKILL)
        _ = child.waitForExit()
        unlink(note)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A series of an answer: its labels and its value now.
    public struct Value: Sendable {
        public let labels: [String: String]
        public let value: Double
    }

    /// Evaluates a query of PromQL now.
    /// - Throws: `WireMismatch` with Prometheus's error if it is none.
    public func query(_ text: String) throws -> [Value] {
        let allowed = CharacterSet.alphanumerics
        let escaped = text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let answer = try WebClient(port: port).get("/api/v1/query?query=\(escaped)")
        let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        guard answer.status == 200, let data = object?["data"] as? [String: Any] else {
            throw WireMismatch("\(text): \(String(decoding: answer.body, as: UTF8.self))")
        }
        if let scalar = data["result"] as? [Any], scalar.count == 2, let value = scalar[1] as? String {
            return [Value(labels: [:], value: Double(value) ?? .nan)]
        }
        return (data["result"] as? [[String: Any]] ?? []).map { series in
            let value = (series["value"] as? [Any])?.last as? String
            return Value(
                labels: series["metric"] as? [String: String] ?? [:], value: value.flatMap { Double($0) } ?? .nan)
        }
    }
}
