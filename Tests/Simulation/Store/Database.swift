@testable import QueueCore

/// PostgreSQL as far as brokers can tell: rows, and what the store's statements do to them, done naively. Each call
/// is one transaction, except for `prepare`.
final class Database {
    struct Row {
        var id: JobID
        var tube: TubeID
        var state: StoredState
        var priority: UInt32
        var ttr: UInt32
        var delay: UInt32
        var created: Instant
        var due: Instant
        var lease: Int64?
        var reservedAt: Instant?
        var reservedUntil: Instant?
        var buryOrder: Int?
        var counters = JobCounters()
        var body: Body
        /// No other job of its tube has this key.
        var uniqueKey: String?
        /// The transaction that last changed its state or its lease.
        var change = Change()

        var key: JobKey { JobKey(priority: priority, id: id) }
    }

    /// A transaction, for the checker.
    struct Change {
        var number = 0
        /// 0 for SQL that no broker sent.
        var epoch: Int64 = 0
        var at = Instant(nanoseconds: 0)
    }

    struct TubeEntry {
        var id: TubeID
        var name: TubeName
        var pause: UInt32 = 0
        var pausedUntil: Instant?
        /// The broker that is about to remove the tube.
        var remover: Int64?
        /// When anything of the tube last changed.
        var stamp = 0

        /// What a broker reads of it when the database's clock shows this time.
        func row(counts: StateCounts, at now: Instant) -> TubeRow {
            TubeRow(
                id: id, name: name, pause: Int64(pause),
                pauseLeft: max(0, pausedUntil.map { ($0 - now).microseconds } ?? 0), counts: counts)
        }
    }

    /// The key of a transaction in the ledger.
    struct LedgerKey: Hashable {
        var epoch: Int64
        var writer: Int
        var batch: Int64
    }

    enum LedgerEntry {
        case batch
        /// Made by a look-up: the batch has not committed, and never will.
        case claim
    }

    var rows: [JobID: Row] = [:]
    var tubes: [TubeEntry] = []
    var lastTube: TubeID = 0
    /// Grows with each change of a tube or of its jobs.
    var lastStamp = 0
    var policies: [TubeID: TubePolicy] = [:]
    /// The rows of `broker`.
    var epochs: Set<Int64> = []
    /// How many heartbeats there have been of each broker, and when the last one was by the database's clock.
    var beats: [Int64: Int64] = [:]
    var heartbeats: [Int64: Instant] = [:]
    /// How far the database's clock is ahead of the true time. Disturbances set it.
    var clockAhead = Span(nanoseconds: 0)
    /// The brokers whose clients wait for each tube.
    var awaited: [TubeName: Set<Int64>] = [:]
    /// Notices that others have left for each broker and that it has not taken.
    var noticesFor: [Int64: [(tube: TubeID, key: JobKey)]] = [:]
    /// The epoch of the sole broker, if there is one.
    var sole: Int64?
    var lastEpoch: Int64 = 0
    var lastID: JobID = 0
    var lastBurial = 0
    var ledger: [LedgerKey: LedgerEntry] = [:]
    /// Jobs in the history, one entry for each time that a job was written there.
    var history: [JobID] = []
    /// Transactions that are not over, and the rows that they have changed.
    var open: [Prepared] = []
    var locked: Set<JobID> = []
    /// Jobs that the transaction being prepared has put, including those that it has ended again.
    var unconfirmed: [JobID: Journal.Birth] = [:]
    /// Jobs with keys that transactions that are not over are putting.
    var unborn: [JobID: Row] = [:]
    /// The current transaction.
    var change = Change()
    /// Rows as they were before the transaction that is being prepared.
    var undo: [JobID: Row?]?
    var sql = SQLState()
    /// What has ever happened, for the checker.
    var journal = Journal()
    /// Whether transactions are refused now and then.
    var mayRefuse = false
    /// The mistake that is planted.
    let mistake: Mistake?

    init(mistake: Mistake? = nil) { self.mistake = mistake }

    /// The time that the database's clock shows.
    func clock(_ now: Instant) -> Instant { now + clockAhead }

    func ids(_ count: Int) -> ClosedRange<JobID> {
        defer { lastID += JobID(count) }
        return lastID + 1...lastID + JobID(count)
    }

    func isFree(_ row: Row) -> Bool { row.lease.map { $0 > 0 && !epochs.contains($0) } ?? true }

    func isReserved(_ row: Row) -> Bool { row.reservedAt != nil && !isFree(row) }

    /// The keys of the rows that pass, in their order.
    func keys(where passes: (Row) -> Bool) -> [JobKey] {
        var keys: [JobKey] = []
        for row in rows.values where passes(row) { keys.append(row.key) }
        keys.sort()
        return keys
    }

    /// The keys of the ready jobs of a tube that any broker may claim, in their order.
    func claimable(in tube: TubeID) -> [JobKey] {
        keys { $0.tube == tube && $0.state == .ready && isFree($0) }
    }

    func tube(_ name: TubeName) -> TubeEntry? { tubes.first { $0.name == name } }

    /// Puts a job as SQL or another broker does.
    func putForeign(
        in tube: TubeName, priority: UInt32 = 0, lease: Int64? = nil, body text: Body = body("foreign"), at now: Instant
    ) -> JobID {
        let row = openTube(tube).id
        let id = ids(1).lowerBound
        begin(0, at: now)
        write(
            id,
            Row(
                id: id, tube: row, state: .ready, priority: priority, ttr: 60, delay: 0, created: clock(now),
                due: clock(now), lease: lease, body: text))
        journal.births[id] = Journal.Birth(tube: row, body: text)
        return id
    }

    func openTube(_ name: TubeName) -> (id: TubeID, isNew: Bool) {
        if let at = tubes.firstIndex(where: { $0.name == name }) {
            tubes[at].remover = nil
            return (tubes[at].id, false)
        }
        lastTube += 1
        tubes.append(TubeEntry(id: lastTube, name: name))
        journal.tubes[lastTube] = name
        stamp(lastTube)
        return (lastTube, true)
    }

    func set(_ policy: TubePolicy, of name: TubeName) {
        let row = openTube(name).id
        policies[row] = policy
        policies[row]?.tube = row
    }

    /// Numbers of jobs by stored state, as the ledger adds them up.
    func counts(of tube: TubeID) -> StateCounts {
        var counts = StateCounts()
        for row in rows.values where row.tube == tube { counts.add(1, row.state, priority: row.priority) }
        return counts
    }

    // MARK: Transactions

    func begin(_ epoch: Int64, at now: Instant) {
        change = Change(number: change.number + 1, epoch: epoch, at: now)
    }

    /// Changes or deletes a row, as part of the current transaction.
    func write(_ id: JobID, _ row: Row?) {
        if undo != nil, undo?[id] == nil { undo?[id] = .some(rows[id]) }
        if let row, journal.births[id] == nil {
            let birth = Journal.Birth(tube: row.tube, body: row.body)
            if undo == nil { journal.births[id] = birth } else { unconfirmed[id] = birth }
        }
        for tube in Set([rows[id]?.tube, row?.tube].compactMap { $0 }) { stamp(tube) }
        rows[id] = row
        rows[id]?.change = change
        journal.changedAt = change.at
    }
}

/// What has ever been committed.
struct Journal {
    struct Birth {
        var tube: TubeID
        var body: Body
    }

    var births: [JobID: Birth] = [:]
    var tubes: [TubeID: TubeName] = [:]
    /// How many jobs the kicks of an epoch have made ready.
    var kicks: [Int64: Int] = [:]
    /// When a row was last changed.
    var changedAt = Instant(nanoseconds: 0)
    /// A request that PostgreSQL would have refused and that no broker may make.
    var offence: String?
}
