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
        totals.stored += change
        mark(tube, .dropped)
        markForRecount(tube)
    }

    /// Clients here hold more or fewer jobs of a tube.
    mutating func countHeld(_ job: Int, _ n: Int) {
        let tube = jobs[job].tube
        var change = StateCounts()
        change.add(n, jobs[job].stored, priority: jobs[job].key.priority)
        tubes[tube].held += change
        totals.held += change
        if n < 0 { mark(tube, .dropped) }
        if tubes[tube].isHeldPublished, let row = tubes[tube].row {
            tubes[tube].isHeldPublished = false
            heldRows.append(row)
        }
    }

    /// The counts that were read from the database.
    mutating func setCounts(_ tube: Int, stored: StateCounts, heldElsewhere: StateCounts) {
        totals.stored += stored - tubes[tube].stored
        totals.heldElsewhere += heldElsewhere - tubes[tube].heldElsewhere
        tubes[tube].stored = stored
        tubes[tube].heldElsewhere = heldElsewhere
        mark(tube, .dropped)
    }

    // MARK: Counting

    /// The tube's counts are to be read again: a reading under way may not include what has changed here.
    mutating func markForRecount(_ tube: Int) {
        guard countsMayBeOff, !tubes[tube].isMarkedForRecount, let row = tubes[tube].row else { return }
        tubes[tube].isMarkedForRecount = true
        tubesToRecount.append(row)
    }

    /// Which counts are to be read now and given to `learn`. Counts are read as long as other brokers live, and then
    /// once more while nothing is under way here, since nobody corrects them afterwards.
    public mutating func beginCounting() -> Recount {
        isCountedAlone =
            sharing == .sole && queriesInFlight.isEmpty && WriteKind.allCases.allSatisfy { lanes[$0].inFlight == nil }
        removedRows = []
        guard countsMayBeOff else { return .none }
        defer {
            tubesToRecount = []
            isFullRecountDue = false
        }
        for row in tubesToRecount {
            if let tube = tubeSlotsByRow[row] { tubes[tube].isMarkedForRecount = false }
        }
        return isFullRecountDue ? .all : .changed(also: tubesToRecount)
    }

    /// Others have changed counts, and this broker does not know which.
    public mutating func othersCounted() {
        othersCountedSome()
        isFullRecountDue = true
    }

    /// Others have changed counts, and the rows of the tubes show which.
    mutating func othersCountedSome() {
        countsMayBeOff = true
        isCountedAlone = false
    }

    /// Other brokers have stopped holding jobs, and the rows of the tubes do not show which.
    mutating func forgetHeldElsewhere(isAll: Bool) {
        guard totals.heldElsewhere != StateCounts() else { return }
        for tube in listing where tubes[tube].heldElsewhere != StateCounts() {
            markForRecount(tube)
            if isAll { setCounts(tube, stored: tubes[tube].stored, heldElsewhere: StateCounts()) }
        }
    }

    // MARK: What clients hold

    /// What clients here hold of each tube, where that has changed since it was last taken.
    public mutating func takeHeldCounts() -> [(tube: TubeID, counts: StateCounts)] {
        defer { heldRows.removeAll(keepingCapacity: true) }
        return heldRows.map { row in
            guard let tube = tubeSlotsByRow[row] else { return (tube: row, counts: StateCounts()) }
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
