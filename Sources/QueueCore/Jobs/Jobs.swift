/// All jobs that are in memory, and those that are not and that queries under way may change.
struct Jobs {
    var table = SlotMap<Job>()
    var byID: [JobID: Int] = [:]
    /// Jobs that are not in memory and that queries under way may change.
    var undecided: [JobID: Queue.UndecidedJob] = [:]
    /// Connections whose commands wait for jobs that are being given back.
    var awaitingSettled: [JobID: [ConnectionID]] = [:]
    /// Of held jobs: when their clients are to be warned, and when their time to run is over.
    var deadlines = IndexedHeap<Instant>()
    /// Reservations that are not in their rows yet, oldest first.
    var unannotated = UnannotatedReservations()
    /// Bytes of the cache's budget that are taken.
    var cachedBytes = 0

    subscript(slot: Int) -> Job {
        @inline(__always) _read { yield table[slot] }
        @inline(__always) _modify { yield &table[slot] }
    }

    var count: Int { table.count }
    var slots: Range<Int> { table.slots }

    mutating func insert(_ job: Job) -> Int {
        let slot = table.insert(job)
        byID[job.key.id] = slot
        return slot
    }

    mutating func remove(_ slot: Int) {
        byID[table[slot].key.id] = nil
        table.remove(slot)
    }
}
