import Foundation
import MetricsExposition
import TestKit
import Testing

/// The board of deploy/grafana: each query gets data from a Prometheus that has scraped a loaded broker.
@Suite("Metrics: the board") struct BoardTests {
    private struct Query {
        let panel: String
        let text: String
    }

    private static func queries() throws -> [Query] {
        let data = try Data(contentsOf: repository.appending(path: "deploy/grafana/beanrow.json"))
        let board = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        var queries: [Query] = []
        for panel in board?["panels"] as? [[String: Any]] ?? [] {
            for target in panel["targets"] as? [[String: Any]] ?? [] {
                guard let title = panel["title"] as? String, let text = target["expr"] as? String else { continue }
                queries.append(Query(panel: title, text: text))
            }
        }
        return queries
    }

    /// What the board's variables stand for here.
    private static func filled(_ text: String) -> String {
        text.replacing("$__rate_interval", with: "1m").replacing("$job", with: "beanrow").replacing("$tube", with: ".*")
    }

    @Test func eachQueryGetsData() throws {
        let queries = try Self.queries()
        #expect(queries.count > 20)
        let broker = try BrokerProcess.withMetrics()
        let client = try broker.connect()
        let schema = broker.configuration.schema
        _ = try TestPostgres.shared().psql("select \(schema).set_policy('default', max_ready => 1000000)")
        let prometheus = try Prometheus(job: "beanrow", targets: [broker.httpPort])
        // A little of everything, again and again: a rate needs two scrapes.
        func round() throws {
            try client.send("put 0 0 60 4\r\nbody\r\nput 0 0 60 4\r\nbody\r\nput 9 1000 60 4\r\nbody\r\n")
            for _ in 1...3 { try client.expectInserted() }
            for end in ["delete %", "bury % 0"] {
                try client.send("reserve-with-timeout 30\r\n")
                let id = try client.expectJob().id
                try client.send(end.replacing("%", with: "\(id)") + "\r\n")
                _ = try client.readLine()
            }
            try client.send("put 0 0 60 4\r\nbody\r\n")
            try client.expectInserted()
        }
        var left = queries
        defer { #expect(left.isEmpty, "without data: \(left.map(\.text))") }
        try eventually("each query has data") {
            try round()
            left = try left.filter { query in
                let values = try prometheus.query(Self.filled(query.text))
                return values.isEmpty || values.allSatisfy { $0.value.isNaN }
            }
            return left.isEmpty
        }
    }

    /// A query that names no family of ours would never get data.
    @Test func queriesNameOurFamilies() throws {
        let names = Set(Metrics.families(names: .davidtannock).map(\.name))
        for query in try Self.queries() {
            for found in query.text.matches(of: /\b((?:beanrow|beanstalkd|process)_\w+)/) {
                let name = String(found.1)
                let family = name.replacing(/_(?:bucket|sum|count)$/, with: "")
                #expect(names.contains(family) || names.contains(name), "\(query.panel)")
            }
        }
    }
}
