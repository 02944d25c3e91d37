/// What this broker knows of SQL sessions (docs/ARCHITECTURE.md, SQL beside brokers).
///
/// Functions of the schema do not ask brokers, with two exceptions. Their changes are in a table; the broker that
/// folds them into the counts learns of them here. And a job that a broker has leased may be held by a client, which
/// its row does not say at once. So a function recalls the leases: each broker gives back the jobs that no client
/// holds, annotates those that one does, and answers.
struct SQLSessions {
    /// The last recall that was followed, and the one that the next batch of changes answers.
    var lastRecall: Int64 = 0
    var answer: Int64?
    /// A recall was a moment ago: leases are taken for waiting clients only, and each reservation is written at once.
    var isRecalling = false
    var recallingUntil = Instant(nanoseconds: 0)
    /// SQL sessions take or steer jobs: this broker shares the jobs as with a peer.
    var isSharing = false
    var sharingUntil = Instant(nanoseconds: 0)
}

/// How functions have changed a tube.
public struct SQLChange: Sendable {
    /// Its counts are differences.
    public var tube: TubeRow
    /// The first job that they have made ready.
    public var first: JobKey?
    /// How many jobs came to the tube and how many left it, as far as calls of one kind do not outweigh another in one row.
    public var puts: UInt64
    public var deletes: UInt64

    public init(tube: TubeRow, first: JobKey?, puts: UInt64 = 0, deletes: UInt64 = 0) {
        self.tube = tube
        self.first = first
        self.puts = puts
        self.deletes = deletes
    }
}

extension Queue {
    static let recallingFor = Span.milliseconds(500)
    static let sharingFor = Span.seconds(30)

    /// Whether nobody else takes jobs.
    var isAlone: Bool { peers == 0 && !sql.isSharing }

    /// A session waits until this broker has given back what its clients do not hold.
    public mutating func leasesRecalled(_ number: Int64, now: Instant) {
        guard epoch != 0, number > sql.lastRecall else { return }
        sql.lastRecall = number
        sql.answer = number
        sql.isRecalling = true
        sql.recallingUntil = now + Queue.recallingFor
        share(now: now)
        for slot in tubes.active { giveBackCache(slot, keeping: 0, now: now) }
        while let id = jobs.unannotated.popFirst(before: now) { annotateReservation(id) }
        schedule.nextTick = min(schedule.nextTick, sql.recallingUntil)
        conclude(now: now)
    }

    /// A session reserves jobs.
    public mutating func shareWithSQL(now: Instant) {
        share(now: now)
        conclude(now: now)
    }

    private mutating func share(now: Instant) {
        guard epoch != 0 else { return }
        sql.sharingUntil = now + Queue.sharingFor
        guard !sql.isSharing else { return }
        sql.isSharing = true
        endSole(isWritten: false)
        giveBackSurplus(now: now)
    }

    mutating func endSQLSharing(now: Instant) {
        if sql.recallingUntil <= now { sql.isRecalling = false }
        if sql.sharingUntil <= now { sql.isSharing = false }
    }

    /// What sessions have changed, read at some time after `readAt`.
    public mutating func learn(_ changes: [SQLChange], readAt: Instant, now: Instant) {
        for change in changes {
            tubes.rows.remember(change.tube.id, change.tube.name)
            if let first = change.first {
                tellPeers(change.tube.id, first)
                take(Notice(tube: change.tube.id, name: change.tube.name, key: first))
            }
            if change.tube.counts.delayed > 0 { scheduleSweep(now) }
            guard tubes.byName[change.tube.name] != nil || change.tube.counts.total > 0 || change.tube.pauseLeft > 0
            else {
                noteWithoutTube(change)
                continue
            }
            let slot = tube(named: change.tube.name)
            if change.puts > 0 || change.deletes > 0 {
                note(slot) {
                    $0.puts += change.puts
                    $0.deletes += change.deletes
                }
            }
            // Until the next heartbeat reads the counts.
            othersCountedSome()
            count(slot, change.tube.counts)
            learnPause(slot, change.tube, readAt: readAt, now: now)
        }
        othersCountedSome()
        conclude(now: now)
    }
}
