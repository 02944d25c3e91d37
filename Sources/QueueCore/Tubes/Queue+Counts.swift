/// Counts of jobs. Where other brokers or SQL change them too, they are corrected from the database once a second.
extension Queue {
    /// Jobs of a tube have entered or left a stored state.
    mutating func count(_ tube: Int, _ n: Int, _ state: StoredState, priority: UInt32) {
        var change = StateCounts()
        change.add(n, state, priority: priority)
        count(tube, change)
    }

    mutating func count(_ tube: Int, _ change: StateCounts) {
        tubes[tube].stored += change
        tubes.totals.stored += change
        markDropped(tube)
        markForRecount(tube)
    }

    /// Clients here hold more or fewer jobs of a tube.
    mutating func countHeld(_ job: Int, _ n: Int) {
        let tube = jobs[job].tube
        var change = StateCounts()
        change.add(n, jobs[job].stored, priority: jobs[job].key.priority)
        tubes[tube].held += change
        tubes.totals.held += change
        if n < 0 { markDropped(tube) }
        if tubes[tube].isHeldPublished, let row = tubes[tube].row {
            tubes[tube].isHeldPublished = false
            tubes.heldRows.append(row)
        }
    }

    /// The counts that were read from the database.
    mutating func setCounts(_ tube: Int, stored: StateCounts, heldElsewhere: StateCounts) {
        tubes.totals.stored += stored - tubes[tube].stored
        tubes.totals.heldElsewhere += heldElsewhere - tubes[tube].heldElsewhere
        tubes[tube].stored = stored
        tubes[tube].heldElsewhere = heldElsewhere
        markDropped(tube)
    }

    // MARK: Counting

    /// The tube's counts are to be read again: a reading under way may not include what has changed here.
    mutating func markForRecount(_ tube: Int) {
        guard tubes.recount.mayBeOff, !tubes[tube].isMarkedForRecount, let row = tubes[tube].row else { return }
        tubes[tube].isMarkedForRecount = true
        tubes.recount.rows.append(row)
    }

    /// Which counts are to be read now and given to `learn`. Counts are read as long as other brokers live, and then
    /// once more while nothing is under way here, since nobody corrects them afterwards.
    public mutating func beginCounting() -> Recount {
        tubes.recount.isAlone =
            sharing == .sole && queries.inFlight.isEmpty && WriteKind.allCases.allSatisfy { lanes[$0].inFlight == nil }
        tubes.rows.removed = []
        guard tubes.recount.mayBeOff else { return .none }
        defer {
            tubes.recount.rows = []
            tubes.recount.isFullDue = false
        }
        for row in tubes.recount.rows {
            if let tube = tubes.byRow[row] { tubes[tube].isMarkedForRecount = false }
        }
        return tubes.recount.isFullDue ? .all : .changed(also: tubes.recount.rows)
    }

    /// Others have changed counts, and this broker does not know which.
    public mutating func othersCounted() {
        othersCountedSome()
        tubes.recount.isFullDue = true
    }

    /// Others have changed counts, and the rows of the tubes show which.
    mutating func othersCountedSome() {
        tubes.recount.mayBeOff = true
        tubes.recount.isAlone = false
    }

    /// Other brokers have stopped holding jobs, and the rows of the tubes do not show which.
    mutating func forgetHeldElsewhere(isAll: Bool) {
        guard tubes.totals.heldElsewhere != StateCounts() else { return }
        for tube in tubes.listing where tubes[tube].heldElsewhere != StateCounts() {
            markForRecount(tube)
            if isAll { setCounts(tube, stored: tubes[tube].stored, heldElsewhere: StateCounts()) }
        }
    }

    // MARK: What clients hold

    /// What clients here hold of each tube, where that has changed since it was last taken.
    public mutating func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)] {
        defer { tubes.heldRows.removeAll(keepingCapacity: true) }
        return tubes.heldRows.map { row in
            guard let tube = tubes.byRow[row] else { return (tube: row, counts: StateCounts()) }
            tubes[tube].isHeldPublished = true
            return (tube: row, counts: tubes[tube].held)
        }
    }
}

/// Which tubes are to be read for their counts.
public enum Recount: Sendable {
    /// Only new tubes: this broker alone changes the others.
    case none
    /// Tubes that have changed since the last reading, and these.
    case changed(also: [TubeID])
    case all
}

/// Sums over all tubes that exist.
struct TubeTotals: Sendable {
    var stored = StateCounts()
    var held = StateCounts()
    var heldElsewhere = StateCounts()

    var jobs: JobCounts { JobCounts(stored: stored, held: held + heldElsewhere) }
}

extension JobCounts {
    /// `held`: those of the stored jobs that some client holds.
    init(stored: StateCounts, held: StateCounts) {
        self.init(
            urgent: max(0, stored.urgent - held.urgent), ready: max(0, stored.ready - held.ready),
            reserved: held.total, delayed: max(0, stored.delayed - held.delayed),
            buried: max(0, stored.buried - held.buried))
    }
}
