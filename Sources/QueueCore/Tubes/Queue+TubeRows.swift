/// The rows of `tube`: which exist, and their names. A row that nobody needs is removed. A put into its tube asks for
/// another one.
extension Queue {
    /// Forgets all rows; about `count` will be known.
    mutating func forgetRows(expecting count: Int) {
        tubeRows = Dictionary(minimumCapacity: count)
        tubeNames = Dictionary(minimumCapacity: count)
        tubeSlotsByRow = Dictionary(minimumCapacity: count)
        tubeSlots.reserveCapacity(count)
        tubes.reserveCapacity(count)
    }

    /// The row exists.
    mutating func rememberRow(_ row: TubeID, _ name: TubeName) {
        guard tubeNames[row] != name else { return }
        if let old = tubeRows.updateValue(row, forKey: name), old != row { tubeNames[old] = nil }
        tubeNames[row] = name
    }

    mutating func setRow(_ slot: Int, _ row: TubeID) {
        if let old = tubes[slot].row, old != row { tubeSlotsByRow[old] = nil }
        tubes[slot].row = row
        tubes[slot].isRowGone = false
        tubes[slot].policy = policies[row]
        tubeSlotsByRow[row] = slot
        rememberRow(row, tubes[slot].name)
        if tubes[slot].activeIndex < 0 { tubes[slot].cache.horizon = .first }
    }

    /// The row for puts into the tube; `nil` while it has to be asked for.
    func openRow(_ tube: Int) -> TubeID? { tubes[tube].isRowGone ? nil : tubes[tube].row }

    /// The tube of this row. It is made if only its name is known.
    mutating func tube(ofRow row: TubeID) -> Int? {
        if let tube = tubeSlotsByRow[row] { return tube }
        guard let name = tubeNames[row] else { return nil }
        return tube(named: name)
    }

    /// Those of the rows whose tubes do not exist here.
    public func unneeded(_ rows: [TubeID]) -> [TubeID] { rows.filter { tubeSlotsByRow[$0] == nil } }

    /// These rows have been removed: nobody needed them, and they had no jobs.
    public mutating func removed(_ rows: [TubeID], now: Instant) {
        for row in rows {
            // What was read of the row before is old, and may come later.
            removedRows.insert(row)
            guard let name = tubeNames.removeValue(forKey: row) else { continue }
            if tubeRows[name] == row { tubeRows[name] = nil }
            if let tube = tubeSlotsByRow[row] { lostRow(tube) }
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
        for row in rows where !removedRows.contains(row.id) {
            rememberRow(row.id, row.name)
            let known = tubeSlots[row.name]
            if known == nil, row.counts.total == 0, row.pauseLeft <= 0 { continue }
            let slot = known ?? addTube(named: row.name)
            let isNew = tubes[slot].row != row.id
            setRow(slot, row.id)
            if isNew || isFirst || countsMayBeOff {
                setCounts(slot, stored: row.counts, heldElsewhere: row.heldElsewhere)
            }
            if isNew { becameClaimable(slot, .first) }
            learnPause(slot, row, readAt: readAt, now: now)
        }
    }

    /// All rows of a reading have been taken.
    mutating func haveLearnt(now: Instant) {
        if isCountedAlone { countsMayBeOff = false }
        let known = answersAwaitingTubes
        answersAwaitingTubes = []
        finish(known, now: now)
    }
}
