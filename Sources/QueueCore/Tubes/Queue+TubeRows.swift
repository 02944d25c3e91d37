/// The rows of `tube`: which exist, and their names. A row that nobody needs is removed. A put into its tube asks for
/// another one.
extension Queue {
    /// Forgets all rows; about `count` will be known.
    mutating func forgetRows(expecting count: Int) {
        tubes.rows.forget(expecting: count)
        tubes.byRow = Dictionary(minimumCapacity: count)
        tubes.byName.reserveCapacity(count)
        tubes.table.reserveCapacity(count)
    }

    mutating func setRow(_ slot: Int, _ row: TubeID) {
        if let old = tubes[slot].row, old != row { tubes.byRow[old] = nil }
        tubes[slot].row = row
        tubes[slot].isRowGone = false
        tubes[slot].policy = tubes.policies.all[row]
        tubes.byRow[row] = slot
        tubes.rows.remember(row, tubes[slot].name)
        if tubes[slot].activeIndex < 0 { tubes[slot].cache.horizon = .first }
    }

    /// The row for puts into the tube; `nil` while it has to be asked for.
    func openRow(_ tube: Int) -> TubeID? { tubes[tube].isRowGone ? nil : tubes[tube].row }

    /// The tube of this row. It is made if only its name is known.
    mutating func tube(ofRow row: TubeID) -> Int? {
        if let tube = tubes.byRow[row] { return tube }
        guard let name = tubes.rows.names[row] else { return nil }
        return tube(named: name)
    }

    /// Those of the rows whose tubes do not exist here.
    public func unneeded(_ rows: [TubeID]) -> [TubeID] { rows.filter { tubes.byRow[$0] == nil } }

    /// These rows have been removed: nobody needed them, and they had no jobs.
    public mutating func removed(_ rows: [TubeID], now: Instant) {
        for row in rows {
            if tubes.rows.remove(row), let tube = tubes.byRow[row] { lostRow(tube) }
        }
        conclude(now: now)
    }

    /// A tube that exists here has lost its row. The next put asks for another one.
    mutating func lostRow(_ tube: Int) {
        // Jobs in memory still refer to the row. Their changes will find nothing.
        tubes[tube].isRowGone = true
        setCounts(tube, stored: StateCounts(), heldElsewhere: StateCounts())
    }

    // MARK: Reading

    /// Rows of `tube`, as they were at some time after `readAt`: at the start all rows, later those that other
    /// brokers or SQL have changed.
    ///
    /// `isLast`: no more rows of the same reading follow.
    public mutating func learn(_ rows: [TubeRow], isLast: Bool = true, readAt: Instant, now: Instant) {
        take(rows, isFirst: false, readAt: readAt, now: now)
        conclude(now: now)
        if isLast { haveLearnt(now: now) }
    }

    mutating func take(_ rows: [TubeRow], isFirst: Bool, readAt: Instant, now: Instant) {
        for row in rows where !tubes.rows.removed.contains(row.id) {
            tubes.rows.remember(row.id, row.name)
            let known = tubes.byName[row.name]
            if known == nil, row.counts.total == 0, row.pauseLeft <= 0 { continue }
            let slot = known ?? addTube(named: row.name)
            let isNew = tubes[slot].row != row.id
            setRow(slot, row.id)
            if isNew || isFirst || tubes.recount.mayBeOff {
                setCounts(slot, stored: row.counts, heldElsewhere: row.heldElsewhere)
            }
            if isNew { becameClaimable(slot, .first) }
            learnPause(slot, row, readAt: readAt, now: now)
        }
    }

    /// All rows of a reading have been taken.
    mutating func haveLearnt(now: Instant) {
        if tubes.recount.isAlone { tubes.recount.mayBeOff = false }
        let known = queries.answersAwaitingTubes
        queries.answersAwaitingTubes = []
        finish(known, now: now)
    }
}
