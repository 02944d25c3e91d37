import LogKeys
import Logging
import QueueCore

/// Writes every 10 s what this broker has done in each tube since the last time, and, at one broker for all, how many jobs
/// the tubes have (README.md).
///
/// It works in steps of some milliseconds, between which the keeper does what is more urgent.
struct Sampler {
    /// The tubes that one look into the queue tells.
    private static let toldAtOnce = 1000
    /// The rows that one statement writes: some milliseconds.
    private static let writtenAtOnce = 250
    /// The tubes whose oldest job one statement looks up.
    private static let lookedUpAtOnce = 200
    /// Tubes that nothing has happened to here and that are looked up again all the same: another broker may have taken the
    /// oldest job.
    private static let lookedUpAgain = 1000
    private static let step: Int64 = 10_000_000
    /// After the end of a step.
    private static let delay: Int64 = 200_000
    /// What waits for a database that refuses it.
    private static let maxPending = 100_000

    private unowned let client: any StoreClient
    private let oldest: OldestReady
    private var failures: FailureLog
    private var work = Work.none
    private var rollUp = SampleRollUp()
    /// There may be samples to add up.
    private var addsUp = false
    private var nextStep = Instant(nanoseconds: 0)

    /// What has been told and not been written, by the name of the tube.
    private var pending: [String: TubeActivity] = [:]
    /// The levels that have been written; `nil` while another broker writes them.
    private var levels: [String: Sample.Level]?
    /// Where the looking up of unchanged tubes goes on.
    private var turn = 0

    private enum Work {
        case none
        /// The oldest jobs of these tubes are to be looked up.
        case lookUp(Found, left: ArraySlice<TubeLevel>, step: Int64)
        case write(ArraySlice<Sample>, step: Int64)
    }

    /// The levels of this moment.
    private struct Found {
        var levels: [String: Sample.Level] = [:]
        var paused: Set<String> = []
        var all = JobCounts()
    }

    /// When something is due.
    var next: Instant {
        if case .none = work, !addsUp { nextStep } else { Instant(nanoseconds: 0) }
    }

    init(_ client: any StoreClient, _ oldest: OldestReady, _ logger: Logger) {
        self.client = client
        self.oldest = oldest
        failures = FailureLog(logger)
    }

    /// A new epoch begins: what the database has of levels may be another.
    mutating func reset() {
        work = .none
        rollUp = SampleRollUp()
        addsUp = false
        levels = nil
    }

    /// Does one step of what is due. `hasDuty`: this broker tells what is of the whole queue. `isAlone`: it is the only one.
    mutating func look(_ connection: Connection, hasDuty: Bool, isAlone: Bool) throws {
        guard next <= client.now() else { return }
        let current = work
        // Whatever fails is not done again in this step, but for what is still pending.
        work = .none
        do {
            switch current {
            case .none where addsUp && client.now() < nextStep:
                try addUp(connection, hasDuty: hasDuty)
            case .none: try begin(connection, hasDuty: hasDuty, isAlone: isAlone)
            case .lookUp(let found, let left, let step): try lookUp(found, left, step, connection)
            case .write(let samples, let step):
                try write(samples, step, connection)
                failures.succeeded("write samples")
            }
        } catch let error as StoreError where !error.isLost {
            addsUp = false
            if !error.isLockTimeout { failures.failed(error, task: "write samples") }
        }
    }

    // MARK: Steps

    private mutating func addUp(_ connection: Connection, hasDuty: Bool) throws {
        addsUp = false
        guard hasDuty else { return }
        var isMore = false
        try failures.attempt("add up samples") { isMore = try rollUp.look(connection) }
        addsUp = isMore
    }

    private mutating func begin(_ connection: Connection, hasDuty: Bool, isAlone: Bool) throws {
        nextStep = client.now() + .seconds(10)
        let rows = try connection.execute(.sampleClock)
        let column = rows.columns(SampleClockColumns.self)
        let (step, clock) = (rows[0, column.step], rows[0, column.clock])
        let now = client.now()
        nextStep = now + .microseconds(Sampler.step - (clock % Sampler.step) + Sampler.delay)
        oldest.learn(clock: clock, at: now)
        takeActivity()
        if hasDuty {
            if levels == nil { try learnLevels(connection) }
            planLookUp(step, isAlone: isAlone)
        } else {
            levels = nil
            try learnOldest(connection)
            planWrite([:], step)
        }
    }

    private mutating func takeActivity() {
        var left = client.untoldActivity
        if pending.count > Sampler.maxPending { pending = [:] }
        while left > 0 {
            let changes = client.takeActivity(limit: Sampler.toldAtOnce)
            left -= Sampler.toldAtOnce
            for change in changes {
                pending[change.name.description, default: TubeActivity()] += change.activity
                pending["", default: TubeActivity()] += change.activity
            }
        }
    }

    private mutating func planLookUp(_ step: Int64, isAlone: Bool) {
        let (tubes, all) = client.tubeLevels()
        var found = Found(all: all)
        var (changed, same): ([TubeLevel], [TubeLevel]) = ([], [])
        for tube in tubes {
            let name = tube.name.description
            let known = levels?[name]
            let oldest = tube.jobs.ready > 0 ? known?.oldest : nil
            found.levels[name] = Sample.Level(jobs: tube.jobs, oldest: oldest)
            if tube.isPaused { found.paused.insert(name) }
            guard tube.jobs.ready > 0 else { continue }
            if known?.jobs != tube.jobs || oldest == nil || pending[name] != nil {
                changed.append(tube)
            } else if !isAlone {
                same.append(tube)
            }
        }
        if !same.isEmpty {
            let first = turn % same.count
            changed += (same[first...] + same[..<first]).prefix(Sampler.lookedUpAgain)
            turn += Sampler.lookedUpAgain
        }
        work = .lookUp(found, left: changed[...], step: step)
    }

    private mutating func lookUp(
        _ known: Found, _ tubes: ArraySlice<TubeLevel>, _ step: Int64, _ connection: Connection
    ) throws {
        var found = known
        let part = tubes.prefix(Sampler.lookedUpAtOnce)
        if !part.isEmpty {
            var parameters = Parameters()
            parameters.add(int4s: part.map(\.row))
            parameters.add(int8s: part.map { Int64($0.jobs.reserved) })
            let rows = try connection.execute(.oldestReady, parameters)
            let column = rows.columns(OldestReadyColumns.self)
            let names = Dictionary(part.map { ($0.row, $0.name.description) }) { first, _ in first }
            for tube in part { found.levels[tube.name.description]?.oldest = nil }
            for row in rows.indices {
                guard let name = names[rows[row, column.tube]] else { continue }
                found.levels[name]?.oldest = rows[row, column.oldest]
            }
        }
        let left = tubes.dropFirst(Sampler.lookedUpAtOnce)
        if left.isEmpty { return finishLookUp(found, step) }
        work = .lookUp(found, left: left, step: step)
    }

    private mutating func finishLookUp(_ found: Found, _ step: Int64) {
        var current = found.levels
        let first = current.filter { !found.paused.contains($0.key) }.compactMap(\.value.oldest).min()
        current[""] = Sample.Level(jobs: found.all, oldest: first)
        oldest.learn(current.compactMapValues(\.oldest))
        let known = levels ?? [:]
        var changed = current.filter { known[$0.key] != $0.value }
        for tube in known.keys where current[tube] == nil { changed[tube] = Sample.Level(jobs: JobCounts()) }
        // Always: the step is known by it.
        changed[""] = current[""]
        planWrite(changed, step)
    }

    private mutating func planWrite(_ changed: [String: Sample.Level], _ step: Int64) {
        var samples = changed.map { Sample(tube: $0.key, activity: pending[$0.key], level: $0.value) }
        for (tube, activity) in pending where changed[tube] == nil {
            samples.append(Sample(tube: tube, activity: activity))
        }
        guard !samples.isEmpty else { return }
        work = .write(samples.inOrder[...], step: step)
    }

    private mutating func write(_ samples: ArraySlice<Sample>, _ step: Int64, _ connection: Connection) throws {
        let part = Array(samples.prefix(Sampler.writtenAtOnce))
        // If the connection is lost now, nobody knows whether it was written: it is not written twice.
        for sample in part { pending[sample.tube] = nil }
        do {
            try connection.inTransaction(Statement.samplesNeedNoDisk) {
                _ = try connection.execute(.writeSamples, part.parameters(step: step))
            }
        } catch let error as StoreError where !error.isLost {
            for case (let tube, let activity?) in part.map({ ($0.tube, $0.activity) }) {
                pending[tube, default: TubeActivity()] += activity
            }
            // Not known any more: the next step reads them.
            levels = nil
            throw error
        }
        for case (let tube, let level?) in part.map({ ($0.tube, $0.level) }) {
            levels?[tube] = level.jobs.total > 0 || tube.isEmpty ? level : nil
        }
        let left = samples.dropFirst(Sampler.writtenAtOnce)
        work = left.isEmpty ? .none : .write(left, step: step)
        if left.isEmpty { addsUp = levels != nil }
    }

    // MARK: What the database has

    private mutating func learnLevels(_ connection: Connection) throws {
        let rows = try connection.execute(.knownLevels)
        let column = rows.columns(KnownLevelColumns.self)
        var known: [String: Sample.Level] = [:]
        for row in rows.indices { known[rows[row, column.tube]] = Sample.Level(rows, row, column.level) }
        levels = known
    }

    private func learnOldest(_ connection: Connection) throws {
        let rows = try connection.execute(.knownOldest)
        let column = rows.columns(KnownOldestColumns.self)
        var known: [String: Int64] = [:]
        for row in rows.indices { known[rows[row, column.tube]] = rows[row, column.oldest] }
        oldest.learn(known)
    }
}
