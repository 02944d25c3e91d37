import HTTPTypes
import HummingbirdCore
import MetricsExposition
import NIOCore
import PostgresStore
import QueueCore

/// `GET /metrics`.
extension Site {
    func metrics() async -> Response {
        var facts = MetricsFacts()
        facts.queue = broker.snapshot()
        facts.process = process.numbers()
        facts.process.version = configuration.version
        facts.process.maxJobSize = configuration.maxJobSize
        if let store = broker.storeSnapshot() {
            facts.store = StoreFacts(store)
            // A broker that has lost its database knows nothing of the whole queue; another one tells.
            facts.tellsForAll = store.hasDuty && facts.queue.isEpochValid
            if facts.tellsForAll {
                for tube in facts.queue.tubes where tube.jobs.ready > 0 {
                    facts.oldestReady[tube.name] = store.oldestReady.seconds(of: tube.name)
                }
            }
        }
        if facts.tellsForAll, let store = try? store {
            facts.database = await database.metrics { try await store.databaseMetrics() }.map(DatabaseFacts.init)
        }
        return Response(
            status: .ok, headers: [.contentType: Metrics.contentType],
            body: .init(byteBuffer: ByteBuffer(bytes: configuration.metrics.render(facts))))
    }
}

extension StoreFacts {
    fileprivate init(_ store: StoreSnapshot) {
        self.init()
        isDatabaseUp = store.isUp
        schemaVersion = store.schemaVersion
        reconnects = store.reconnects
        failovers = store.failovers
        heartbeatAge = store.heartbeatAge
        writers = store.commits.map { commits in
            WriterFacts(
                writer: commits.kind,
                seconds: Histogram(
                    bounds: DurationHistogram.bounds, counts: commits.seconds.counts, sum: commits.seconds.sum),
                operations: Histogram(
                    bounds: OperationHistogram.bounds.map(Double.init), counts: commits.operations.counts,
                    sum: Double(commits.operations.sum)))
        }
    }
}

extension DatabaseFacts {
    fileprivate init(_ metrics: DatabaseMetrics) {
        self.init(
            jobTableBytes: metrics.jobTableBytes, deadRows: metrics.deadRows, oldestSnapshot: metrics.oldestSnapshot,
            warnings: metrics.warnings)
    }
}
