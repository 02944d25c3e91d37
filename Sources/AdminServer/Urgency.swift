import AdminAPI
import Foundation
import PostgresStore
import QueueCore

/// Which tubes need somebody, and the order of what is worst. docs/operate.md has the rule.
enum Urgency {
    /// How long a ready job may wait in a tube of which nothing is known, in seconds.
    static let standardLimit = 300.0
    /// The least limit: what is always taken at once may wait a little without waking anybody.
    static let leastLimit = 60.0
    /// A tube's limit, as a multiple of the time within which 95 of 100 of its jobs were taken.
    static let usualTimes = 3.0
    /// So many jobs have to be taken before it is known what is usual.
    static let knownAfter: UInt64 = 20

    /// How long a ready job may wait, in seconds.
    static func limit(_ tube: TubeLine) -> Double {
        let waited = tube.waited
        guard waited.count >= knownAfter, let usual = waited.percentile(0.95) else { return standardLimit }
        return max(leastLimit, usualTimes * usual)
    }

    /// `age`: How long the oldest ready job has waited, in seconds.
    static func alarm(_ tube: TubeLine, age: Double?) -> TubeAlarm? {
        if let most = tube.maxReady, tube.jobs.ready >= most { return .full }
        guard let age, tube.pauseLeft == 0, age >= leastLimit, age >= limit(tube) else { return nil }
        return .late
    }

    /// Larger for what is worse: full tubes, then late ones by how late they are for their limit, then those with buried
    /// jobs. The others are in steps, so that rows do not change places all the time: by the part of the limit that is over,
    /// then by growth, then by backlog.
    static func weight(_ tube: TubeLine, _ rate: Frame.Rate, age: Double?) -> Double {
        // The limit takes longer to find than anything else here.
        let part = age.map { tube.pauseLeft > 0 || $0 <= 0 ? 0 : min($0 / limit(tube), 999) } ?? 0
        switch alarm(tube, age: age) {
        case .full: return 30_000 + part
        case .late: return 20_000 + part
        case nil: break
        }
        let buried = Double(max(0, tube.jobs.buried))
        if buried > 0 { return 10_000 + log2(1 + buried) }
        let growth = log2(1 + max(0, rate.puts - rate.deletes)).rounded(.down)
        let backlog = log2(1 + Double(max(0, tube.jobs.total))).rounded(.down)
        return (min(part, 1) * 10).rounded(.down) * 100 + growth + backlog / 100
    }
}

extension Frame {
    func alarm(_ index: Int) -> TubeAlarm? {
        Urgency.alarm(tubes[index], age: oldestReadySeconds(index))
    }
}
