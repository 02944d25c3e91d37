/// All jobs that are in memory, and those that are not and that queries under way may change.
struct Jobs {
    var table = SlotMap<Job>()
    var byID: [JobID: Int] = [:]
    /// Jobs that are not in memory and that queries under way may change.
    var undecided: [JobID: Queue.UndecidedJob] = [:]
    /// Rows of settling jobs that refills have claimed (`Job.Encounter`).
    private var claimed: [JobID: JobRow] = [:]
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

    // Without the attribute the job is copied once more, which retains its body.
    @inline(__always)
    mutating func insert(_ job: consuming Job) -> Int {
        let id = job.key.id
        let slot = table.insert(job)
        byID[id] = slot
        return slot
    }

    /// - Returns: the job's row, if a refill has claimed it while the job was settling.
    @discardableResult
    mutating func remove(_ slot: Int) -> JobRow? {
        let (id, encounter) = (table[slot].key.id, table[slot].encounter)
        byID[id] = nil
        table.remove(slot)
        return encounter == .claimed ? claimed.removeValue(forKey: id) : nil
    }

    /// A refill has met a job that is in memory.
    mutating func meet(_ slot: Int, _ row: JobRow, isClaimed: Bool) {
        guard case .settling(let isGivenUp, _) = table[slot].phase else { return }
        table[slot].phase = .settling(isGivenUp: isGivenUp, isClaimed ? .claimed : .read)
        if isClaimed { claimed[row.id] = row }
    }

    /// The epoch has died: what refills have met is void.
    mutating func forgetEncounters() {
        claimed = [:]
        for slot in byID.values {
            if case .settling(let isGivenUp, _) = table[slot].phase {
                table[slot].phase = .settling(isGivenUp: isGivenUp, .none)
            }
        }
    }
}
