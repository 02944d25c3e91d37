import Foundation
import PostgresStore
import TestKit

@testable import QueueCore

/// Stands in for the queue: gives the store what the test has given it, and keeps what the store returns.
final class FakeClient: StoreClient, @unchecked Sendable {
    /// A registration.
    struct Attachment {
        var epoch: Int64
        var isSole: Bool
        var tubes: [TubeRow]
    }

    private struct State {
        var writes: [WriteBatch] = []
        var writesDone: [[(batch: WriteBatch, outcome: WriteOutcome)]] = []
        var queries: [PendingQuery] = []
        var answers: [(query: Query, answer: Answer)] = []
        var fenced: [Query] = []
        var attachments: [Attachment] = []
        var renewals: [Int] = []
        var detachments = 0
        var reconnections = 0
        var idsWanted: Int?
        var ids: [ClosedRange<JobID>] = []
        var held: [(tube: TubeID, counts: StateCounts)] = []
        var tubes: [TubeRow] = []
        /// The number of tubes learnt since the last heartbeat, and the largest such number so far.
        var learntSinceHeartbeat = 0
        var mostLearnt = 0
        var needed: Set<TubeID> = []
        var removed: [TubeID] = []
        var policies: [TubePolicy] = []
        var lostPeers = 0
        var wantsSole = false
        var notices = Notices()
        var announced: [TubeName] = []
        var noticed: [Notice] = []
        var awaitedElsewhere: Set<TubeName> = []
        var listenings = 0
        var activity: [ActivityChange] = []
        var levels: [TubeLevel] = []
        var skipped = Span.seconds(0)
    }

    /// The kind of the writer that is given all batches.
    var kind = WriteKind.puts
    /// Called with the epoch when a peer waits for this sole broker.
    var endSole: ((Int64) -> Void)?
    private let condition = NSCondition()
    private var state = State()

    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        condition.withLock {
            defer { condition.broadcast() }
            return body(&state)
        }
    }

    /// Waits until `body` returns a value.
    private func wait<Found>(
        for what: String, within seconds: Double = patience, _ body: (inout State) -> Found?
    ) throws -> Found {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return try condition.withLock {
            while true {
                if let found = body(&state) { return found }
                guard condition.wait(until: deadline) else { throw WireMismatch("not within \(seconds) s: \(what)") }
            }
        }
    }

    // MARK: Called by the test

    func give(_ batch: WriteBatch) { change { $0.writes.append(batch) } }
    func give(_ queries: [Query], epoch: Int64) {
        change {
            $0.queries += queries.map {
                PendingQuery(query: $0, epoch: epoch, issued: Instant(nanoseconds: 0))
            }
        }
    }
    func wantIDs(_ count: Int) { change { $0.idsWanted = count } }
    func hold(_ counts: StateCounts, of tube: TubeID) { change { $0.held.append((tube, counts)) } }

    /// The outcomes of the oldest batch.
    func outcome() throws -> [(batch: WriteBatch, outcome: WriteOutcome)] {
        try wait(for: "the outcome of a batch") { $0.writesDone.isEmpty ? nil : $0.writesDone.removeFirst() }
    }
    var hasOutcome: Bool { change { !$0.writesDone.isEmpty } }
    var hasAnswer: Bool { change { !$0.answers.isEmpty } }
    func answers(_ count: Int) throws -> [Answer] {
        try wait(for: "\(count) answers") { state -> [Answer]? in
            guard state.answers.count >= count else { return nil }
            defer { state.answers.removeFirst(count) }
            return state.answers.prefix(count).map(\.answer)
        }
    }
    func fencedQueries() throws -> [Query] {
        try wait(for: "fenced queries") { state -> [Query]? in
            defer { state.fenced = [] }
            return state.fenced.isEmpty ? nil : state.fenced
        }
    }
    /// The first `count` registrations, once there are that many.
    func attachments(_ count: Int = 1) throws -> [Attachment] {
        try wait(for: "\(count) registrations") { $0.attachments.count >= count ? $0.attachments : nil }
    }
    /// Waits for the next heartbeat and returns how many peers are alive.
    func renewal() throws -> Int {
        change { $0.renewals = [] }
        return try wait(for: "a heartbeat") { $0.renewals.first }
    }
    /// Waits until the client knows exactly these policies.
    func policies(_ expected: [TubePolicy]) throws {
        _ = try wait(for: "policies \(expected)") { $0.policies == expected ? true : nil }
    }
    var hasReconnected: Bool { change { $0.reconnections > 0 } }
    func reconnections(_ count: Int) throws {
        _ = try wait(for: "\(count) reconnections") { $0.reconnections >= count ? true : nil }
    }
    func fetchedIDs(_ count: Int) throws -> [ClosedRange<JobID>] {
        try wait(for: "\(count) ids") { state in
            state.ids.reduce(0) { $0 + $1.count } >= count ? state.ids : nil
        }
    }
    func give(_ notices: Notices) { change { $0.notices = notices } }
    /// Waits until the notifier listens.
    func listening(_ count: Int = 1) throws {
        _ = try wait(for: "\(count) connections of the notifier") { $0.listenings >= count ? true : nil }
    }
    func announcement(of tube: TubeName) throws {
        _ = try wait(for: "the announcement of \(tube)") { $0.announced.contains(tube) ? true : nil }
    }
    func notice() throws -> Notice {
        try wait(for: "a notice") { $0.noticed.isEmpty ? nil : $0.noticed.removeFirst() }
    }
    /// Marks tubes as needed by this broker.
    func need(_ tubes: TubeID...) { change { $0.needed.formUnion(tubes) } }
    /// Waits until the client has heard that a tube was removed.
    func removal(of tube: TubeID) throws {
        _ = try wait(for: "the removal of \(tube)") { $0.removed.contains(tube) ? true : nil }
    }
    var tubeCount: Int { change { $0.tubes.count } }
    var mostLearntBetweenHeartbeats: Int { change { $0.mostLearnt } }
    var hasNotice: Bool { change { !$0.noticed.isEmpty } }
    /// Waits until the keeper has read such a row of the tube.
    func tube(_ name: TubeName, where isSo: (TubeRow) -> Bool) throws -> TubeRow {
        try wait(for: "the tube \(name)") { state in state.tubes.first { $0.name == name && isSo($0) } }
    }
    func lostPeer() throws { _ = try wait(for: "the loss of a peer") { $0.lostPeers > 0 ? true : nil } }
    func wantToBeSole() { change { $0.wantsSole = true } }
    var isAttached: Bool { change { !$0.attachments.isEmpty } }
    var detachments: Int { change { $0.detachments } }
    /// True if the held counts have been taken.
    var isHeldTaken: Bool { change { $0.held.isEmpty } }

    /// Has something done in a tube.
    func did(in tube: String, _ count: (inout TubeActivity) -> Void) {
        var activity = TubeActivity()
        count(&activity)
        change { $0.activity.append(ActivityChange(tube: nil, name: TubeName(unchecked: tube), activity: activity)) }
    }
    /// Says which tubes have jobs.
    func say(_ levels: [TubeLevel]) { change { $0.levels = levels } }
    /// Sets the clock of the broker forward.
    func skip(_ span: Span) { change { $0.skipped = Span(nanoseconds: $0.skipped.nanoseconds + span.nanoseconds) } }

    // MARK: Called by the store

    func takeWrites(_ kind: WriteKind, atLeast count: Int) -> WriteBatch? {
        change { kind != self.kind || $0.writes.isEmpty ? nil : $0.writes.removeFirst() }
    }
    func finish(_ kind: WriteKind, _ parts: [(batch: WriteBatch, outcome: WriteOutcome)]) -> Int {
        change { $0.writesDone.append(parts) }
        return 0
    }
    func takeQueries() -> [PendingQuery] {
        change { state in
            defer { state.queries = [] }
            return state.queries
        }
    }
    func finish(_ queries: [PendingQuery], _ answers: [Answer]) {
        change { $0.answers += zip(queries, answers).map { (query: $0.query, answer: $1) } }
    }
    func fenced(_ queries: [PendingQuery]) { change { $0.fenced += queries.map(\.query) } }

    func attach(epoch: Int64, isSole: Bool, tubes: [TubeRow], sentAt: Instant) {
        change {
            $0.attachments.append(Attachment(epoch: epoch, isSole: isSole, tubes: tubes))
            $0.tubes = tubes
        }
    }
    func renew(sentAt: Instant, peers: Int, hasLostPeer: Bool, isSole: Bool) {
        change {
            $0.renewals.append(peers)
            $0.learntSinceHeartbeat = 0
            if hasLostPeer { $0.lostPeers += 1 }
        }
        if peers > 0, isSole, let epoch = change({ $0.attachments.last?.epoch }) { endSole?(epoch) }
    }
    var wantsSole: Bool { change { $0.wantsSole } }
    func becameSole() { change { $0.wantsSole = false } }
    func beginCounting() -> Recount { .changed(also: []) }
    func learn(_ tubes: [TubeRow], isLast: Bool, readAt: Instant) {
        change { state in
            state.learntSinceHeartbeat += tubes.count
            state.mostLearnt = max(state.mostLearnt, state.learntSinceHeartbeat)
            for row in tubes {
                state.tubes.removeAll { $0.name == row.name }
                state.tubes.append(row)
            }
        }
    }
    func unneeded(_ tubes: [TubeID]) -> [TubeID] { change { state in tubes.filter { !state.needed.contains($0) } } }
    func removed(_ tubes: [TubeID]) { change { $0.removed += tubes } }
    func learn(policies: [TubePolicy]) { change { $0.policies = policies } }
    func detach() { change { $0.detachments += 1 } }
    func reconnected() { change { $0.reconnections += 1 } }

    func forgetIDs() { change { $0.ids = [] } }
    func takeIDRequest() -> Int? {
        change { state in
            defer { state.idsWanted = nil }
            return state.idsWanted
        }
    }
    func add(ids: [ClosedRange<JobID>]) { change { $0.ids += ids } }
    func idRequestFailed() {}
    func learn(lastID: JobID) {}
    func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)] {
        change { state in
            defer { state.held = [] }
            return state.held
        }
    }

    var untoldActivity: Int { change { $0.activity.count } }
    func takeActivity(limit: Int) -> [ActivityChange] {
        change { state in
            defer { state.activity.removeFirst(min(limit, state.activity.count)) }
            return Array(state.activity.prefix(limit))
        }
    }
    func tubeLevels() -> (tubes: [TubeLevel], all: JobCounts) {
        change { state in
            var all = JobCounts()
            for tube in state.levels {
                all.ready += tube.jobs.ready
                all.reserved += tube.jobs.reserved
                all.delayed += tube.jobs.delayed
                all.buried += tube.jobs.buried
            }
            return (state.levels, all)
        }
    }

    func takeNotices() -> Notices? {
        change { state in
            defer { state.notices = Notices() }
            return state.notices.isEmpty ? nil : state.notices
        }
    }
    func waitsPublished(_ tubes: [(tube: TubeID, name: TubeName)]) { change { $0.announced += tubes.map(\.name) } }
    func othersAwait(_ tubes: Set<TubeName>) { change { $0.awaitedElsewhere = tubes } }
    func noticed(_ notices: [Notice]) { change { $0.noticed += notices } }
    func missedNotices() { change { $0.listenings += 1 } }

    func now() -> Instant { Instant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds)) + change { $0.skipped } }
}

extension FakeClient {
    var epoch: Int64 { change { $0.attachments.last?.epoch ?? 0 } }
    func leasesRecalled(_ number: Int64) {}
    func shareWithSQL() {}
    func learn(_ changes: [SQLChange], readAt: Instant) {}
    func othersCounted() {}
}
