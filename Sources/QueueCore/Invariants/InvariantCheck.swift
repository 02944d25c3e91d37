/// One check of a queue's invariants.
final class InvariantCheck {
    /// The first relation that does not hold.
    private(set) var broken: String?

    /// What is found by looking at jobs, connections, queries and batches, for each slot of a tube.
    struct TubeTally {
        var inMemory = 0
        var cached = 0
        var held = 0
        var using = 0
        var watching = 0
        var waiting = 0
        var pins = 0
        var putsInFlight = 0
        var leasedPuts = 0
        var refills = 0
        var openings = 0
    }

    var tally: ContiguousArray<TubeTally>
    /// Held jobs, and those of them that no connection's list has.
    var heldJobs = 0
    var held = 0
    /// Settling jobs without a write.
    var settling = 0
    var charged = 0
    /// Bytes of puts: of large bodies, of all others, and of those of open connections.
    var pendingLargeBytes = 0
    var pendingBytes = 0
    var openPendingBytes = 0
    var openWaitingPuts = 0
    /// Queries that are under way.
    var sweeps = 0
    var polls = 0
    var leaseEnds = 0
    var undecided = 0

    init(_ queue: borrowing Queue) {
        tally = ContiguousArray(repeating: TubeTally(), count: queue.tubes.slots.count)
        checkJobs(queue)
        checkWrites(queue)
        checkQueries(queue)
        checkConnections(queue)
        checkTubes(queue)
        checkTotals(queue)
    }

    func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds, broken == nil { broken = what() }
    }

    // MARK: Heaps

    func has<Key>(_ heap: borrowing IndexedHeap<Key>, _ position: Int, _ slot: Int, _ key: Key) -> Bool {
        position >= 0 && position < heap.entries.count && heap.entries[position].slot == slot
            && heap.entries[position].key == key
    }

    func isHeap<Key>(_ heap: borrowing IndexedHeap<Key>) -> Bool {
        var at = 1
        while at < heap.entries.count {
            if heap.entries[at].key < heap.entries[(at - 1) / 2].key { return false }
            at += 1
        }
        return true
    }

    // MARK: Totals

    func checkTotals(_ queue: borrowing Queue) {
        expect(held == 0, "\(held) held jobs are in no connection's list")
        expect(!queue.marks.isAny, "an event has not been concluded")
        expect(queue.jobs.deadlines.count == heldJobs, "deadlines without jobs")
        expect(queue.jobs.cachedBytes == charged, "\(queue.jobs.cachedBytes) bytes are cached, counted \(charged)")
        expect(
            queue.puts.pendingBytes == pendingBytes,
            "\(queue.puts.pendingBytes) bytes are pending, counted \(pendingBytes)")
        expect(
            queue.puts.pendingLargeBytes == pendingLargeBytes,
            "\(queue.puts.pendingLargeBytes) bytes of large bodies are pending, counted \(pendingLargeBytes)")
        var totals = TubeTotals()
        for slot in queue.tubes.listing {
            totals.stored += queue.tubes[slot].stored
            totals.held += queue.tubes[slot].held
            totals.heldElsewhere += queue.tubes[slot].heldElsewhere
        }
        expect(
            totals.stored == queue.tubes.totals.stored && totals.held == queue.tubes.totals.held
                && totals.heldElsewhere == queue.tubes.totals.heldElsewhere, "the sums over all tubes are off")
    }
}
