import AdminAPI
import Dispatch
import Foundation
import Synchronization

/// Any server of beanstalkd's protocol, asked by `stats`, `list-tubes` and `stats-tube`. It tells counts only.
///
/// It keeps one connection, and reads nothing of jobs: a peek would be counted, and a reserve would take one.
public final class ProtocolSource: QueueSource {
    private let address: ProtocolAddress
    private let queue = DispatchQueue(label: "beanrow top")
    private let state = Mutex(State())

    private struct State {
        var connection: Held?
        var before: Sample?
    }

    /// Only the dispatch queue touches it.
    private struct Held: @unchecked Sendable {
        let connection: ProtocolConnection
    }

    public init(_ address: ProtocolAddress) {
        self.address = address
    }

    public func load(_ request: Request) async throws -> Answer {
        guard case .tubes(let filter, let sort) = request else {
            throw Trouble("beanstalkd's protocol tells counts only.")
        }
        let (before, now) = try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Result { try sample() })
            }
        }
        return Answer(
            overview: now.overview(since: before, address: "\(address)"),
            content: .tubes(now.page(since: before, filter: filter, sort: sort)))
    }

    public func run(_ command: Command) async throws -> Outcome {
        throw Trouble("Nothing can be done through beanstalkd's protocol here.")
    }

    /// The sample before, and a new one.
    private func sample() throws -> (Sample?, Sample) {
        // A connection that the server has closed meanwhile is made anew, once.
        let held = state.withLock { $0.connection }
        let sample: Sample
        do {
            sample = try Sample(from: held?.connection ?? connect())
        } catch  where held != nil {
            state.withLock { $0.connection = nil }
            sample = try Sample(from: connect())
        }
        return state.withLock { state in
            defer { state.before = sample }
            return (state.before, sample)
        }
    }

    private func connect() throws -> ProtocolConnection {
        let held = Held(connection: try ProtocolConnection(address))
        state.withLock { $0.connection = held }
        return held.connection
    }
}

/// What a server has told at one time.
private struct Sample: Sendable {
    let at = Date()
    let clock = ContinuousClock.now
    let stats: [String: String]
    let tubes: [String: [String: String]]

    init(from connection: ProtocolConnection) throws {
        let first = try connection.ask(["stats", "list-tubes"])
        stats = StatsReply.dictionary(first[0] ?? "")
        let names = StatsReply.list(first[1] ?? "")
        // A tube may be gone by now.
        let answers = try connection.ask(names.map { "stats-tube \($0)" })
        tubes = zip(names, answers).reduce(into: [:]) { tubes, pair in
            if let answer = pair.1 { tubes[pair.0] = StatsReply.dictionary(answer) }
        }
    }

    private static func counts(_ stats: [String: String]) -> Counts {
        func number(_ key: String) -> Int { stats["current-jobs-\(key)"].flatMap { Int($0) } ?? 0 }
        return Counts(
            ready: number("ready"), urgent: number("urgent"), reserved: number("reserved"), delayed: number("delayed"),
            buried: number("buried"))
    }

    /// The increase of a counter a second; 0 without a sample before, or if the counter has begun anew.
    private func rate(
        _ key: String, _ now: [String: String], _ before: [String: String]?, since sample: Sample?
    ) -> Double {
        guard let sample, let before, let new = now[key].flatMap({ Double($0) }),
            let old = before[key].flatMap({ Double($0) }), new >= old
        else { return 0 }
        let seconds = (clock - sample.clock) / .seconds(1)
        return seconds > 0 ? (new - old) / seconds : 0
    }

    func overview(since before: Sample?, address: String) -> Overview {
        func number(_ key: String) -> Int { stats[key].flatMap { Int($0) } ?? 0 }
        let version = stats["version"] ?? ""
        return Overview(
            at: at, version: version.hasPrefix("beanrow") ? version : "beanstalkd \(version)",
            queue: QueueName(schema: "", database: "", host: address), database: DatabaseState(isUp: true),
            brokersAlive: 1, isSole: true, counts: Self.counts(stats),
            inPerSecond: rate("total-jobs", stats, before?.stats, since: before),
            outPerSecond: rate("cmd-delete", stats, before?.stats, since: before), oldestReadySeconds: nil,
            tubes: tubes.count, connections: number("current-connections"), producers: number("current-producers"),
            workers: number("current-workers"), waiting: number("current-waiting"), warnings: 0, mayAct: false,
            viewer: nil)
    }

    func page(since before: Sample?, filter: String?, sort: String) -> TubePage {
        let all = tubes.map { name, stats in
            func number(_ key: String) -> Int { stats[key].flatMap { Int($0) } ?? 0 }
            let left = number("pause-time-left")
            return TubeSummary(
                name: name, counts: Self.counts(stats),
                inPerSecond: rate("total-jobs", stats, before?.tubes[name], since: before),
                outPerSecond: rate("cmd-delete", stats, before?.tubes[name], since: before), oldestReadySeconds: nil,
                using: number("current-using"), watching: number("current-watching"),
                waiting: number("current-waiting"), pauseSecondsLeft: left > 0 ? Double(left) : nil, hasPolicy: false)
        }
        let matching = all.filter { filter.map($0.name.contains) ?? true }.sorted(by: sort)
        return TubePage(
            at: at, tubes: Array(matching.prefix(Top.tubeLimit)), matching: matching.count, total: all.count)
    }
}

extension [TubeSummary] {
    /// In an order of `GET /tubes`. `worst` is what is worst as far as counts tell: the most ready, then buried jobs.
    func sorted(by sort: String) -> [TubeSummary] {
        let isReversed = sort.hasPrefix("-")
        let name = isReversed ? String(sort.dropFirst()) : sort
        func value(_ tube: TubeSummary) -> Double {
            switch TubeOrder(rawValue: name) {
            case .name: 0
            case .ready: Double(tube.counts.ready)
            case .reserved: Double(tube.counts.reserved)
            case .delayed: Double(tube.counts.delayed)
            case .buried: Double(tube.counts.buried)
            case .in: tube.inPerSecond
            case .out: tube.outPerSecond
            case .oldest: tube.oldestReadySeconds ?? -1
            case .worst, nil: Double(tube.counts.ready) + Double(tube.counts.buried) / 1e9
            }
        }
        let sorted = sorted { a, b in
            let (first, second) = (value(a), value(b))
            return first == second ? a.name < b.name : first > second
        }
        return isReversed ? sorted.reversed() : sorted
    }
}
