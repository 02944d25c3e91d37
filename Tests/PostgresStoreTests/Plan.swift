import Foundation
import TestKit

@testable import PostgresStore

/// The plan of a prepared statement, by `explain (analyze, buffers, format json)`.
struct Plan {
    /// The scans, in the order of the plan: `Index Scan job_ready`, `Seq Scan broker`.
    let scans: [String]
    /// Indexes of `job` that are walked from their beginning to their end.
    let walked: [String]
    /// Every node, with its index, relation or CTE.
    let shape: [String]
    /// The number of blocks that were read, from memory or not.
    let blocks: Int

    /// Runs the statement and rolls back what it did.
    init(of statement: Statement, _ arguments: String, in session: PostgresStore.Connection) throws {
        try session.run("begin; set local idle_in_transaction_session_timeout to 0")
        defer { try? session.run("rollback") }
        let call = arguments.isEmpty ? identifier(statement.name) : "\(identifier(statement.name)) (\(arguments))"
        let explain = Statement(name: "", sql: "explain (analyze, buffers, format json) execute \(call)")
        try session.prepare(explain)
        let json = try session.execute(explain).string(0, 0)
        guard
            let all = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]],
            let root = all.first?["Plan"] as? [String: Any]
        else { throw WireMismatch("no plan: \(json)") }
        var shape: [String] = []
        var walked: [String] = []
        Plan.walk(root) { node in
            if let index = node["Index Name"] as? String, index.hasPrefix("job"), node["Index Cond"] == nil {
                walked.append(index)
            }
            let names = ["Node Type", "Index Name", "Relation Name", "CTE Name"].compactMap { node[$0] as? String }
            shape.append(names.joined(separator: " "))
        }
        self.shape = shape
        self.walked = walked
        scans = shape.filter { $0.contains("Scan") && $0.contains("job") }
        blocks = ["Shared Hit Blocks", "Shared Read Blocks"].reduce(0) { $0 + (root[$1] as? Int ?? 0) }
    }

    private static func walk(_ node: [String: Any], _ body: ([String: Any]) -> Void) {
        body(node)
        for child in node["Plans"] as? [[String: Any]] ?? [] { walk(child, body) }
    }
}

/// A statement that runs while jobs pass through, with the arguments of an ordinary case.
struct PlannedCall {
    let statement: Statement
    let arguments: String
    /// The indexes of `job` that its plan is meant to use.
    let indexes: Set<String>

    /// Calls about 50 jobs of tube 1 from `id` on, leased by epoch 1 or free.
    static func all(from id: Int) -> [PlannedCall] {
        let ids = (id..<id + 50)
        func array(_ element: (Int) -> String) -> String { "'{\(ids.map(element).joined(separator: ","))}'" }
        func same(_ value: String) -> String { array { _ in value } }
        let new = "\(array { "\($0 + 1_000_000)" }), \(same("1")), \(same("5")), \(same("60")), \(same("0"))"
        let moved = "\(array(String.init)), \(same("2")), \(same("5")), \(same("0")), \(same("f")), \(same("f"))"
        let counters = "\(same("1")), \(same("0")), \(same("0")), \(same("0"))"
        let annotated = "\(array(String.init)), \(same("0")), \(same("9")), \(same("1")), \(same("0"))"
        let times = "\(same("9")), \(same("-1"))"
        let ended = "\(array(String.init)), \(same("t")), \(same("1")), \(same("0")), \(times)"
        return [
            PlannedCall(statement: .put, arguments: "1, \(new), \(same("t")), \(same("x"))", indexes: []),
            PlannedCall(
                statement: .changeStates, arguments: "1, \(moved), \(counters), \(times), false", indexes: ["job_pkey"]),
            PlannedCall(statement: .annotate, arguments: "1, \(annotated), \(times), false", indexes: ["job_pkey"]),
            PlannedCall(statement: .delete, arguments: "1, \(array(String.init)), false", indexes: ["job_pkey"]),
            PlannedCall(statement: .delete, arguments: "1, \(array(String.init)), true", indexes: ["job_pkey"]),
            PlannedCall(statement: .archive, arguments: "1, \(ended), false", indexes: ["job_pkey"]),
            PlannedCall(statement: .writeLeases, arguments: "1, \(array(String.init))", indexes: ["job_pkey"]),
            PlannedCall(
                statement: .refill, arguments: "1, 5, \(id), 50, 1000, 1", indexes: ["job_ready", "job_pkey"]),
            PlannedCall(statement: .refillSole, arguments: "1, 5, \(id), 50, 1000", indexes: ["job_ready"]),
            PlannedCall(statement: .fetchBody, arguments: "\(id), 1, false", indexes: ["job_pkey"]),
            PlannedCall(statement: .reserve, arguments: "\(id), 1", indexes: ["job_pkey"]),
            PlannedCall(statement: .deleteUnleased, arguments: "\(id), 1", indexes: ["job_pkey"]),
            PlannedCall(statement: .deleteToHistory, arguments: "\(id), 1", indexes: ["job_pkey"]),
            PlannedCall(
                statement: .putUnique, arguments: "1, 'a', \(id + 2_000_000), 0, 0, 1, 'x'", indexes: ["job_key"]),
            PlannedCall(statement: .findUnique, arguments: "1, 'a'", indexes: ["job_key"]),
            PlannedCall(statement: .kickJob, arguments: "\(id)", indexes: ["job_pkey"]),
            PlannedCall(statement: .peek, arguments: "\(id)", indexes: ["job_pkey"]),
            PlannedCall(statement: .describe, arguments: "\(id)", indexes: ["job_pkey"]),
        ]
    }

    /// The calls that find jobs by their state alone.
    static let byState = [
        PlannedCall(statement: .poll, arguments: "'{1,2}'", indexes: ["job_ready"]),
        PlannedCall(statement: .firstReady, arguments: "1, '{}'", indexes: ["job_ready"]),
        PlannedCall(statement: .firstDelayed, arguments: "1, '{}'", indexes: ["job_delayed"]),
        PlannedCall(statement: .firstBuried, arguments: "1, '{}'", indexes: ["job_buried"]),
        PlannedCall(statement: .kick, arguments: "1, 10, 0", indexes: ["job_buried", "job_delayed", "job_pkey"]),
        PlannedCall(statement: .sweep, arguments: "10", indexes: ["job_due", "job_pkey"]),
        PlannedCall(statement: .nextDue, arguments: "", indexes: ["job_due"]),
    ]
}
