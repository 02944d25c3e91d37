@testable import QueueCore

/// PostgreSQL as far as the broker can tell: rows, and what the writer's statements do to them, naively.
struct Database {
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

        var key: JobKey { JobKey(priority: priority, id: id) }
    }

    struct TubeEntry {
        var id: TubeID
        var name: TubeName
        var pause: UInt32 = 0
        var pausedUntil: Instant?
    }

    var rows: [JobID: Row] = [:]
    var tubes: [TubeEntry] = []
    /// The rows of `broker`.
    var epochs: Set<Int64> = []
    /// The one of them that is the sole one.
    var sole: Int64?
    var lastEpoch: Int64 = 0
    var lastID: JobID = 0
    var lastBurial = 0

    mutating func register() -> Int64 {
        lastEpoch += 1
        epochs.insert(lastEpoch)
        becomeSole(lastEpoch)
        return lastEpoch
    }

    @discardableResult
    mutating func becomeSole(_ epoch: Int64) -> Bool {
        guard epochs == [epoch] else { return false }
        sole = epoch
        return true
    }

    mutating func ids(_ count: Int) -> ClosedRange<JobID> {
        defer { lastID += JobID(count) }
        return lastID + 1...lastID + JobID(count)
    }

    func isFree(_ row: Row) -> Bool { row.lease.map { !epochs.contains($0) } ?? true }

    func isReserved(_ row: Row) -> Bool { row.reservedAt != nil && !isFree(row) }

    /// The ready jobs of a tube that any broker may claim, in their order.
    func claimable(in tube: TubeID) -> [Row] {
        rows.values.filter { $0.tube == tube && $0.state == .ready && isFree($0) }.sorted { $0.key < $1.key }
    }

    func tube(_ name: TubeName) -> TubeEntry? { tubes.first { $0.name == name } }

    /// A job that another broker has put.
    mutating func putForeign(in tube: TubeName, priority: UInt32 = 0, lease: Int64? = nil, at now: Instant) -> JobID {
        let row = openTube(tube).id
        let id = ids(1).lowerBound
        rows[id] = Row(
            id: id, tube: row, state: .ready, priority: priority, ttr: 60, delay: 0, created: now, due: now,
            lease: lease, body: body("foreign"))
        return id
    }

    mutating func openTube(_ name: TubeName) -> (id: TubeID, isNew: Bool) {
        if let tube = tube(name) { return (tube.id, false) }
        tubes.append(TubeEntry(id: TubeID(tubes.count + 1), name: name))
        return (TubeID(tubes.count), true)
    }

    /// Numbers of jobs by stored state, as the ledger adds them up.
    func counts(of tube: TubeID) -> StateCounts {
        var counts = StateCounts()
        for row in rows.values where row.tube == tube { counts.add(1, row.state, priority: row.priority) }
        return counts
    }

    /// What the keeper reads.
    func tubeRows(at now: Instant) -> [TubeRow] {
        tubes.map { tube in
            TubeRow(
                id: tube.id, name: tube.name, pause: Int64(tube.pause),
                pauseLeft: max(0, tube.pausedUntil.map { ($0 - now).microseconds } ?? 0),
                counts: counts(of: tube.id))
        }
    }

    // MARK: The writer's statements

    mutating func run(_ batch: WriteBatch, at now: Instant) -> WriteOutcome {
        guard epochs.contains(batch.epoch) else { return .fenced }
        for put in batch.puts {
            precondition(rows[put.id] == nil, "an id was used twice")
            rows[put.id] = Row(
                id: put.id, tube: put.tube, state: put.state, priority: put.priority, ttr: put.ttr, delay: put.delay,
                created: now, due: now + .seconds(put.delay), lease: put.isLeased ? batch.epoch : nil, body: put.body)
        }
        func has(_ id: JobID) -> Bool { batch.isSole || rows[id]?.lease == batch.epoch }
        for move in batch.moves where has(move.id) { run(move, at: now) }
        for annotation in batch.annotations where has(annotation.id) {
            rows[annotation.id]?.lease = batch.epoch
            rows[annotation.id]?.reservedAt = annotation.reserved.map { now - .microseconds($0.since) }
            rows[annotation.id]?.reservedUntil = annotation.reserved.map { now + .microseconds($0.left) }
            rows[annotation.id]?.counters.reserves = annotation.counters.reserves
            rows[annotation.id]?.counters.timeouts = annotation.counters.timeouts
        }
        for delete in batch.deletes where has(delete.id) { rows[delete.id] = nil }
        if batch.endsSole {
            for id in batch.leases { lease(id, to: batch.epoch) }
            sole = nil
        }
        return .committed
    }

    private mutating func run(_ move: Move, at now: Instant) {
        guard var row = rows[move.id] else { return }
        row.state = move.to
        row.priority = move.priority
        row.delay = move.delay
        if move.setsDue { row.due = now + .seconds(move.delay) }
        row.buryOrder = move.to == .buried ? nextBurial() : nil
        if !move.keepsLease { row.lease = nil }
        row.reservedAt = nil
        row.reservedUntil = nil
        let kicks = row.counters.kicks
        row.counters = move.counters
        row.counters.kicks = kicks
        rows[move.id] = row
    }

    mutating func nextBurial() -> Int {
        lastBurial += 1
        return lastBurial
    }
}
