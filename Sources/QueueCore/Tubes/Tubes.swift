/// All tubes that exist in the protocol's sense, and what is known of their rows.
struct Tubes {
    var table = SlotMap<Tube>()
    var byName: [TubeName: Int] = [:]
    var byRow: [TubeID: Int] = [:]
    /// Slot of the tube `default`.
    var defaultTube = 0
    /// The order of `list-tubes`.
    var listing: [Int] = []
    /// How many tubes were removed so far. While it is the same, tubes keep their places in the listing.
    private(set) var removed = 0
    /// Active tubes: somebody watches them, or jobs of theirs are cached or being read. Periodic work goes over these
    /// alone, so that its cost depends on what is in use and not on how many tubes exist.
    ///
    /// A tube that is not active has no cached job, and its horizon is where nothing is known.
    private(set) var active: [Int] = []
    /// The tubes for which clients of other brokers wait, as far as this one has heard.
    private(set) var awaitedElsewhere: Set<TubeName> = []
    var totals = TubeTotals()
    var rows = TubeRows()
    var policies = TubePolicies()
    var pauses = Pauses()
    var recount = Recounting()
    /// Rows of tubes of which clients hold more or fewer jobs than was last published.
    var heldRows: [TubeID] = []

    subscript(slot: Int) -> Tube {
        @inline(__always) _read { yield table[slot] }
        @inline(__always) _modify { yield &table[slot] }
    }

    var count: Int { table.count }
    var slots: Range<Int> { table.slots }

    mutating func insert(_ tube: Tube) -> Int {
        let slot = table.insert(tube)
        byName[tube.name] = slot
        table[slot].listingIndex = listing.count
        listing.append(slot)
        return slot
    }

    mutating func remove(_ slot: Int) {
        deactivate(slot)
        byName[table[slot].name] = nil
        if let row = table[slot].row { byRow[row] = nil }
        // The last tube of the listing takes the place, as in beanstalkd.
        let place = table[slot].listingIndex
        let last = listing.removeLast()
        removed += 1
        if last != slot {
            listing[place] = last
            table[last].listingIndex = place
        }
        table.remove(slot)
    }

    // MARK: Active tubes

    mutating func activate(_ tube: Int) {
        guard table[tube].activeIndex < 0 else { return }
        table[tube].activeIndex = active.count
        table[tube].isAwaitedElsewhere =
            !awaitedElsewhere.isEmpty && awaitedElsewhere.contains(table[tube].name)
        active.append(tube)
    }

    /// Takes a tube out of the active ones, whatever it is like.
    mutating func deactivate(_ tube: Int) {
        let place = table[tube].activeIndex
        guard place >= 0 else { return }
        table[tube].activeIndex = -1
        let last = active.removeLast()
        if last != tube {
            active[place] = last
            table[last].activeIndex = place
        }
    }

    mutating func othersAwait(_ names: Set<TubeName>) {
        awaitedElsewhere = names
        for slot in active { table[slot].isAwaitedElsewhere = names.contains(table[slot].name) }
    }

    /// Called once a poll: clients come back, so a tube stays active for a moment.
    mutating func deactivateIdle() {
        for tube in active where table[tube].isIdle {
            deactivate(tube)
            table[tube].cache.horizon = .first
        }
    }
}

extension Tube {
    fileprivate var isIdle: Bool {
        watching == 0 && !isAwaited && cache.heap.isEmpty && !cache.isRefilling && cache.idleSince == nil
    }
}

/// Every known row of `tube`, by name and by number, including rows of tubes that do not exist in the protocol's sense.
struct TubeRows {
    private(set) var byName: [TubeName: TubeID] = [:]
    private(set) var names: [TubeID: TubeName] = [:]
    /// Rows that were removed while the tubes were read.
    var removed: Set<TubeID> = []
    /// Rows that the database of this epoch has lost. Their numbers may belong to other tubes by now.
    var lost: Set<TubeID> = []

    /// Forgets all rows; about `count` will be known.
    mutating func forget(expecting count: Int) {
        byName = Dictionary(minimumCapacity: count)
        names = Dictionary(minimumCapacity: count)
    }

    /// The row exists.
    mutating func remember(_ row: TubeID, _ name: TubeName) {
        guard names[row] != name else { return }
        if let old = byName.updateValue(row, forKey: name), old != row { names[old] = nil }
        names[row] = name
    }

    /// The row has been removed. What was read of it before is old, and may come later.
    /// - Returns: whether it was known.
    mutating func remove(_ row: TubeID) -> Bool {
        removed.insert(row)
        guard let name = names.removeValue(forKey: row) else { return false }
        if byName[name] == row { byName[name] = nil }
        return true
    }
}

struct TubePolicies {
    var all: [TubeID: TubePolicy] = [:]
    /// True if any policy keeps history.
    var keepHistory = false
}

struct Pauses {
    var tubes: Set<Int> = []
    /// No pause ends before this time.
    var nextEnd = Instant.never
    /// When pauses ended because their tubes were removed.
    var forgotten: [TubeName: Instant] = [:]
}

/// Which counts of tubes have to be read from the database.
struct Recounting {
    /// Other brokers, or SQL, may have changed the counts of tubes since they were last read.
    var mayBeOff = false
    /// All counts are to be read, and not only those that have changed.
    var isFullDue = false
    /// Rows of tubes whose counts have changed here since the last reading, while counts may be off.
    var rows: [TubeID] = []
    /// Nothing has been under way here that could change the counts since their reading began.
    var isAlone = false
}
