public import AdminAPI
import Foundation
public import QueueCore

/// What the samples tell (see `Samples`).
extension AdminStore {
    /// A chart of a tube, or of the whole queue.
    public func series(of tube: TubeName?, _ window: SampleWindow) async throws -> Series {
        let series = try await read { try SampleReader(connection: $0).series(of: tube, window) }
        return Series(
            tube: tube?.description, step: series.step, start: Date(timeIntervalSince1970: Double(series.start)),
            points: series.points.map { $0.map(SeriesPoint.init) })
    }

    /// Ten minutes of puts and deletes of each of these tubes.
    public func sparklines(of tubes: [TubeName]) async throws -> Sparklines {
        let lines = try await read { try SampleReader(connection: $0).sparklines(of: tubes) }
        return Sparklines(
            at: Date(), step: 10,
            tubes: Dictionary(
                uniqueKeysWithValues: lines.map {
                    ($0.key.description, Sparkline(puts: $0.value.puts, deletes: $0.value.deletes))
                }))
    }

    /// How long jobs of a tube waited and were worked on in the last ten minutes; `nil` where there was none.
    public func percentiles(ofTube tube: TubeName) async throws -> (waited: Percentiles?, worked: Percentiles?) {
        let lengths = try await read { try SampleReader(connection: $0).lengths(of: tube) }
        return (Percentiles(lengths.waited), Percentiles(lengths.worked))
    }

    /// Puts and deletes a second in each tube, of the whole queue, 2 to 22 s ago.
    public func recentRates() async throws -> [TubeName: (puts: Double, deletes: Double)] {
        try await read { connection in
            let rows = try connection.ask(.recentSamples)
            let column = rows.columns(SparklineColumns.self)
            return Dictionary(
                rows.indices.map { row in
                    (
                        TubeName(unchecked: rows[row, column.tube]),
                        (Double(rows[row, column.puts]) / 10, Double(rows[row, column.deletes]) / 10)
                    )
                }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// What became of the jobs of a tube, or of all, hour by hour.
    public func report(of tube: TubeName?, hours: Int) async throws -> Report {
        let found = try await read { try SampleReader(connection: $0).report(of: tube, hours: hours) }
        return Report(
            tube: tube?.description,
            hours: found.map { start, sum in
                ReportHour(
                    start: Date(timeIntervalSince1970: Double(start)), puts: sum.puts, deletes: sum.deletes,
                    timeouts: sum.timeouts, releases: sum.releases, buries: sum.buries,
                    waited: Percentiles(sum.waited), worked: Percentiles(sum.worked))
            })
    }
}

extension SeriesPoint {
    init(_ point: SamplePoint) {
        self.init(
            counts: Counts(
                ready: max(0, point.jobs.ready), urgent: max(0, point.jobs.urgent),
                reserved: max(0, point.jobs.reserved),
                delayed: max(0, point.jobs.delayed), buried: max(0, point.jobs.buried)), puts: point.puts,
            deletes: point.deletes, timeouts: point.timeouts, oldestReadySeconds: point.oldestReadySeconds,
            waitedP50: point.waited.percentile(0.5), waitedP95: point.waited.percentile(0.95),
            workedP50: point.worked.percentile(0.5), workedP95: point.worked.percentile(0.95))
    }
}

extension Percentiles {
    /// `nil` if nothing was counted.
    init?(_ histogram: DurationHistogram) {
        guard let p50 = histogram.percentile(0.5), let p95 = histogram.percentile(0.95),
            let p99 = histogram.percentile(0.99)
        else { return nil }
        self.init(count: Int(histogram.counts.reduce(0, +)), p50: p50, p95: p95, p99: p99)
    }
}
