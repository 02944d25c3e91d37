import AdminAPI
import Foundation
import PostgresStore
import QueueCore

/// What the API says of a frame.
extension TubeSummary {
    init(_ frame: Frame, _ index: Int) {
        self.init(frame.tubes[index], frame.rates[index], oldest: frame.oldestReadySeconds(index))
    }

    init(_ tube: TubeLine, _ rate: Frame.Rate, oldest: Double?) {
        self.init(
            name: tube.name.description, counts: Counts(tube.jobs), inPerSecond: rate.puts.tenths,
            outPerSecond: rate.deletes.tenths, oldestReadySeconds: oldest?.tenths, using: tube.using,
            watching: tube.watching, waiting: tube.waiting,
            pauseSecondsLeft: tube.pauseLeft > 0 ? Double(tube.pauseLeft) : nil, hasPolicy: tube.hasPolicy,
            alarm: Urgency.alarm(tube, age: oldest))
    }
}

extension Counts {
    init(_ jobs: JobCounts) {
        // Sums of several brokers are read at different moments, so that a difference may be negative for one.
        self.init(
            ready: max(0, jobs.ready), urgent: max(0, jobs.urgent), reserved: max(0, jobs.reserved),
            delayed: max(0, jobs.delayed), buried: max(0, jobs.buried))
    }
}

extension Overview {
    init(_ frame: Frame, _ site: Site, _ viewer: Viewer, warnings: Int) {
        let stats = frame.queue.stats
        let database = site.broker.database
        let reason = Overview.reasonOfOutage(frame)
        self.init(
            at: frame.at, version: site.configuration.version,
            queue: QueueName(
                schema: site.configuration.schema, database: database?.name ?? "", host: database?.host ?? ""),
            database: DatabaseState(isUp: reason == nil, reason: reason),
            brokersAlive: frame.queue.isEpochValid ? frame.queue.peers + 1 : 0, isSole: frame.queue.isSole,
            counts: Counts(stats.jobs), inPerSecond: frame.total.puts.tenths, outPerSecond: frame.total.deletes.tenths,
            oldestReadySeconds: stats.jobs.ready > 0 ? frame.oldest?.seconds?.tenths : nil, tubes: stats.tubes,
            connections: stats.connections,
            producers: stats.producers, workers: stats.workers, waiting: stats.waiting, warnings: warnings,
            alarms: frame.alarms, mayAct: viewer.mayAct, viewer: viewer.name)
    }

    /// Why the broker cannot give out jobs; `nil` if it can.
    static func reasonOfOutage(_ frame: Frame) -> String? {
        if frame.queue.isEpochValid { return nil }
        return frame.storeReason ?? "the broker is not registered in the database"
    }
}

extension Double {
    /// Rounded, so that JSON stays short.
    var tenths: Double { (self * 10).rounded() / 10 }
}
