/// The sums and relations that hold after each event: counts, bytes, pins, places in heaps and lists, and one home
/// per job.
///
/// The simulation, the fuzzers and debug builds of the broker check them. A check looks at everything in memory.
extension Queue {
    /// - Returns: the first relation found that does not hold; `nil` if all hold.
    public func brokenInvariant() -> String? {
        let check = InvariantCheck(self)
        return check.broken
    }

    /// Checks the invariants in a debug build: after each event while little is in memory, and less often when there
    /// is more, so that each event pays for a look at some 32 things.
    public mutating func checkInvariants() {
        eventsUntilCheck -= 1
        guard eventsUntilCheck <= 0 else { return }
        eventsUntilCheck = (connections.slots.count + tubes.slots.count + jobs.slots.count + queries.count) / 32
        if let broken = brokenInvariant() { preconditionFailure("the queue is inconsistent: \(broken)") }
    }
}

/// One check of a queue's invariants.
private final class InvariantCheck {
    private(set) var broken: String?

    /// What is found by looking at jobs, connections, queries and batches, for each slot of a tube.
    private struct TubeTally {
        var inMemory = 0
        var cached = 0
        var held = 0
        var using = 0
        var watching = 0
        var waiting = 0
        var pins = 0
        var putsInFlight = 0
        var refills = 0
        var openings = 0
    }

    private var tally: ContiguousArray<TubeTally>
    /// Held jobs, and those of them that no connection's list has.
    private var heldJobs = 0
    private var held = 0
    private var settling = 0
    private var charged = 0
    private var dueSoon = 0
    /// Bytes of puts: of large bodies, of all others, and of those of open connections.
    private var pendingLargeBytes = 0
    private var pendingBytes = 0
    private var openPendingBytes = 0
    private var openWaitingPuts = 0

    init(_ queue: borrowing Queue) {
        tally = ContiguousArray(repeating: TubeTally(), count: queue.tubes.slots.count)
        checkJobs(queue)
        checkWrites(queue)
        checkQueries(queue)
        checkConnections(queue)
        checkTubes(queue)
        checkTotals(queue)
    }

    private func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds, broken == nil { broken = what() }
    }

    // MARK: Jobs

    private func checkJobs(_ queue: borrowing Queue) {
        expect(queue.jobs.count == queue.jobSlots.count, "jobs in memory without an id")
        for (id, slot) in queue.jobSlots {
            expect(queue.jobs[slot].key.id == id, "job \(id) is in the slot of another")
            let tube = queue.jobs[slot].tube
            let position = Int(queue.jobs[slot].heapPosition)
            tally[tube].inMemory += 1
            charged += queue.jobs[slot].charged
            switch queue.jobs[slot].phase {
            case .cached:
                tally[tube].cached += 1
                expect(
                    has(queue.tubes[tube].cache.heap, position, slot, queue.jobs[slot].key),
                    "job \(id) is not where the cache has it")
                expect(queue.jobs[slot].owner < 0, "job \(id) is cached and held")
            case .held:
                held += 1
                heldJobs += 1
                tally[tube].held += 1
                let margin = queue.jobs[slot].isDueSoon ? Span(nanoseconds: 0) : Queue.deadlineMargin
                expect(
                    has(queue.deadlines, position, slot, queue.jobs[slot].deadline - margin),
                    "job \(id) has no deadline, or another's")
                expect(queue.jobs[slot].owner >= 0, "job \(id) is held by nobody")
                dueSoon += queue.jobs[slot].isDueSoon ? 1 : 0
            case .settling:
                settling += 1
                expect(position < 0 && queue.jobs[slot].owner < 0, "job \(id) is settling and somewhere else too")
            }
            expect(
                queue.jobs[slot].phase == .cached || queue.jobs[slot].charged == 0, "job \(id) is charged to the cache")
            expect(
                !queue.jobs[slot].isBeingGivenBack || queue.jobs[slot].phase == .settling,
                "job \(id) is being given back and not settling")
        }
        for id in queue.undecided.keys { expect(queue.jobSlots[id] == nil, "job \(id) is undecided and in memory") }
        for id in queue.reclaimed.keys { expect(queue.jobSlots[id] != nil, "job \(id) is reclaimed and not in memory") }
    }

    private func has<Key>(_ heap: borrowing IndexedHeap<Key>, _ position: Int, _ slot: Int, _ key: Key) -> Bool {
        position >= 0 && position < heap.entries.count && heap.entries[position].slot == slot
            && heap.entries[position].key == key
    }

    // MARK: Writes and queries

    private func checkWrites(_ queue: borrowing Queue) {
        for kind in WriteKind.allCases {
            checkWrites(queue.lanes[kind].pending, queue)
            if let batch = queue.lanes[kind].inFlight { checkWrites(batch, queue) }
        }
        expect(settling == 0, "\(settling) jobs are settling without a write")
        for put in queue.waitingPuts {
            tally[put.tube].pins += 1
            addPut(put.job, put.tube, put.ticket, queue)
            if queue.isOpen(put.ticket.connection) { openWaitingPuts += 1 }
        }
    }

    private func checkWrites(_ batch: WriteBatch, _ queue: borrowing Queue) {
        for put in batch.puts {
            tally[put.tubeSlot].pins += 1
            addPut(put.job, put.tubeSlot, put.ticket, queue)
        }
        for at in batch.puts.indices.dropFirst() {
            expect(batch.puts[at - 1].id < batch.puts[at].id, "puts are not in the order of their ids")
        }
        for change in batch.stateChanges { checkSettling(change.id, change.slot, change.wasHeld, queue) }
        for delete in batch.deletes { checkSettling(delete.id, delete.slot, delete.wasHeld, queue) }
    }

    /// Each settling job has one write.
    private func checkSettling(_ id: JobID, _ slot: Int, _ wasHeld: Bool, _ queue: borrowing Queue) {
        settling -= 1
        guard queue.jobSlots[id] == slot, queue.jobs[slot].phase == .settling else {
            return expect(false, "job \(id) has a write and is not settling")
        }
        if wasHeld { tally[queue.jobs[slot].tube].held += 1 }
    }

    private func addPut(_ job: NewJob, _ tube: Int, _ ticket: Ticket?, _ queue: borrowing Queue) {
        let cost = Queue.cost(of: job.body)
        if job.body.count > queue.configuration.largeBodyBytes {
            pendingLargeBytes += cost
        } else {
            pendingBytes += cost
        }
        if let ticket, queue.isOpen(ticket.connection) { openPendingBytes += cost }
        if job.delay == 0 { tally[tube].putsInFlight += 1 }
    }

    private var sweeps = 0
    private var polls = 0
    private var leaseEnds = 0
    private var undecided = 0

    private func checkQueries(_ queue: borrowing Queue) {
        for query in queue.queries { add(query, queue) }
        for query in queue.queriesInFlight { add(query, queue) }
        for query in queue.postponed { add(query, queue) }
        for (query, _) in queue.answersAwaitingEpoch { add(query, queue) }
        for (query, _) in queue.answersAwaitingTubes { add(query, queue) }
        expect(sweeps == (queue.isSweeping ? 1 : 0), "\(sweeps) sweeps are under way")
        expect(polls == (queue.isPolling ? 1 : 0), "\(polls) polls are under way")
        expect(leaseEnds == (queue.isEndingLeases ? 1 : 0), "\(leaseEnds) queries end leases")
        expect(undecided == queue.undecided.count, "\(queue.undecided.count) jobs are undecided, counted \(undecided)")
    }

    private func add(_ query: PendingQuery, _ queue: borrowing Queue) {
        if query.tube >= 0 { tally[query.tube].pins += 1 }
        switch query.query {
        case .refill: tally[query.tube].refills += 1
        case .openTube: tally[query.tube].openings += 1
        case .sweep: sweeps += 1
        case .poll: polls += 1
        case .endLeases: leaseEnds += 1
        case .putUnique(let put): addPut(put.job, query.tube, query.ticket, queue)
        case .reserve(let id), .delete(let id, _), .kickJob(let id):
            undecided += 1
            expect(queue.undecided[id] != nil, "a query is about job \(id), which is not undecided")
        case .fetch, .kick, .peek, .first, .job, .pause: break
        }
    }

    // MARK: Connections

    private func checkConnections(_ queue: borrowing Queue) {
        var (open, waiting, producers, workers, timers) = (0, 0, 0, 0, 0)
        var (bytes, waitingPuts) = (0, 0)
        for slot in queue.connections.slots {
            let isOpen = queue.connections[slot].isOpen
            guard isOpen || queue.closing.contains(slot) else { continue }
            checkHeld(by: slot, queue)
            tally[queue.connections[slot].used].using += 1
            let isWaiting = queue.connections[slot].wait != nil
            for tube in queue.connections[slot].watched {
                tally[tube].watching += 1
                if isWaiting { tally[tube].waiting += 1 }
            }
            let position = Int(queue.connections[slot].heapPosition)
            if position >= 0 {
                timers += 1
                let entries = queue.timers.entries
                expect(
                    isWaiting && position < entries.count && entries[position].slot == slot,
                    "a connection has another's timer")
            }
            guard isOpen else { continue }
            open += 1
            waiting += isWaiting ? 1 : 0
            producers += queue.connections[slot].isProducer ? 1 : 0
            workers += queue.connections[slot].isWorker ? 1 : 0
            bytes += queue.connections[slot].pendingBytes
            waitingPuts += queue.connections[slot].waitingPuts
            expect(queue.connections[slot].pendingBytes >= 0, "a connection is charged for less than nothing")
            if let first = queue.connections[slot].replies.first {
                expect(first == nil, "the first reply is known and not sent")
            }
        }
        expect(queue.connections.count == open + queue.closing.count, "connections are neither open nor closing")
        expect(queue.waiting == waiting, "\(queue.waiting) clients wait, counted \(waiting)")
        expect(queue.producers == producers, "\(queue.producers) producers, counted \(producers)")
        expect(queue.workers == workers, "\(queue.workers) workers, counted \(workers)")
        expect(queue.timers.count == timers, "\(queue.timers.count) timers, counted \(timers)")
        expect(bytes == openPendingBytes, "connections are charged \(bytes) bytes of puts, counted \(openPendingBytes)")
        expect(waitingPuts == openWaitingPuts, "\(waitingPuts) puts wait, counted \(openWaitingPuts)")
        expect(isHeap(queue.timers), "the timers are not a heap")
        expect(isHeap(queue.deadlines), "the deadlines are not a heap")
    }

    /// The jobs that a connection holds are a list through `next` and `previous`.
    private func checkHeld(by slot: Int, _ queue: borrowing Queue) {
        var (job, last, soon) = (queue.connections[slot].firstHeld, -1, 0)
        while job >= 0 {
            guard queue.jobs[job].owner == slot, queue.jobs[job].phase == .held, queue.jobs[job].previous == last else {
                return expect(false, "the list of a connection's jobs is broken")
            }
            held -= 1
            soon += queue.jobs[job].isDueSoon ? 1 : 0
            last = job
            job = queue.jobs[job].next
        }
        expect(queue.connections[slot].lastHeld == last, "the list of a connection's jobs ends elsewhere")
        expect(queue.connections[slot].dueSoon == soon, "a connection has \(soon) deadlines close by")
    }

    // MARK: Tubes

    private func checkTubes(_ queue: borrowing Queue) {
        expect(queue.tubes.count == queue.listing.count, "tubes are not listed")
        expect(queue.tubeSlots.count == queue.listing.count, "tubes without a name")
        var (active, rows, paused) = (0, 0, 0)
        for (index, slot) in queue.listing.enumerated() {
            expect(queue.tubes[slot].listingIndex == index, "a tube is listed elsewhere")
            expect(queue.tubeSlots[queue.tubes[slot].name] == slot, "a tube has the name of another")
            if let row = queue.tubes[slot].row {
                rows += 1
                expect(queue.tubeSlotsByRow[row] == slot, "a tube has the row of another")
            }
            let activeIndex = queue.tubes[slot].activeIndex
            if activeIndex >= 0 {
                active += 1
                expect(queue.active[activeIndex] == slot, "a tube is active elsewhere")
            }
            if let until = queue.tubes[slot].pausedUntil {
                paused += 1
                expect(
                    queue.pausedTubes.contains(slot) && queue.nextPauseEnd <= until, "the end of a pause is not awaited"
                )
            }
            checkTube(slot, queue)
        }
        expect(queue.active.count == active, "\(queue.active.count) tubes are active, counted \(active)")
        expect(queue.tubeSlotsByRow.count == rows, "\(queue.tubeSlotsByRow.count) tubes have rows, counted \(rows)")
        expect(queue.pausedTubes.count == paused, "\(queue.pausedTubes.count) tubes are paused, counted \(paused)")
    }

    private func checkTube(_ slot: Int, _ queue: borrowing Queue) {
        let found = tally[slot]
        let name = queue.tubes[slot].name
        func expect(_ count: Int, _ counted: Int, _ what: StaticString) {
            self.expect(count == counted, "\(name): \(count) \(what), counted \(counted)")
        }
        expect(queue.tubes[slot].inMemory, found.inMemory, "jobs in memory")
        expect(queue.tubes[slot].cache.heap.count, found.cached, "cached jobs")
        expect(queue.tubes[slot].held.total, found.held, "held jobs")
        expect(queue.tubes[slot].using, found.using, "clients that use it")
        expect(queue.tubes[slot].watching, found.watching, "clients that watch it")
        expect(queue.tubes[slot].waiting, found.waiting, "clients that wait")
        expect(queue.tubes[slot].pins, found.pins + (slot == queue.defaultTube ? 1 : 0), "pins")
        expect(queue.tubes[slot].putsInFlight, found.putsInFlight, "puts in flight")
        expect(queue.tubes[slot].cache.isRefilling ? 1 : 0, found.refills, "refills")
        expect(queue.tubes[slot].isOpening ? 1 : 0, found.openings, "queries for its row")
        self.expect(queue.tubes[slot].waiters.count >= found.waiting, "\(name): a client is not in line")
        self.expect(
            queue.tubes[slot].activeIndex >= 0 || found.watching + found.cached + found.refills == 0,
            "\(name) is in use and not active")
        self.expect(isHeap(queue.tubes[slot].cache.heap), "\(name): the cache is not a heap")
    }

    private func isHeap<Key>(_ heap: borrowing IndexedHeap<Key>) -> Bool {
        var at = 1
        while at < heap.entries.count {
            if heap.entries[at].key < heap.entries[(at - 1) / 2].key { return false }
            at += 1
        }
        return true
    }

    // MARK: Totals

    private func checkTotals(_ queue: borrowing Queue) {
        expect(held == 0, "\(held) held jobs are in no connection's list")
        expect(queue.deadlines.count == heldJobs, "deadlines without jobs")
        expect(queue.cachedBytes == charged, "\(queue.cachedBytes) bytes are cached, counted \(charged)")
        expect(queue.pendingBytes == pendingBytes, "\(queue.pendingBytes) bytes are pending, counted \(pendingBytes)")
        expect(
            queue.pendingLargeBytes == pendingLargeBytes,
            "\(queue.pendingLargeBytes) bytes of large bodies are pending, counted \(pendingLargeBytes)")
        var totals = TubeTotals()
        for slot in queue.listing {
            totals.stored += queue.tubes[slot].stored
            totals.held += queue.tubes[slot].held
            totals.heldElsewhere += queue.tubes[slot].heldElsewhere
        }
        expect(
            totals.stored == queue.totals.stored && totals.held == queue.totals.held
                && totals.heldElsewhere == queue.totals.heldElsewhere, "the sums over all tubes are off")
    }
}
