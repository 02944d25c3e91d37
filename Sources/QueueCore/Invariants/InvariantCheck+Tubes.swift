/// Tubes: their places in lists, and what refers to them.
extension InvariantCheck {
    func checkTubes(_ queue: borrowing Queue) {
        expect(queue.tubes.count == queue.tubes.listing.count, "tubes are not listed")
        expect(queue.tubes.byName.count == queue.tubes.listing.count, "tubes without a name")
        var (active, rows, paused) = (0, 0, 0)
        var logs = 0
        for (index, slot) in queue.tubes.listing.enumerated() {
            expect(queue.tubes[slot].listingIndex == index, "a tube is listed elsewhere")
            expect(queue.tubes.byName[queue.tubes[slot].name] == slot, "a tube has the name of another")
            if let row = queue.tubes[slot].row {
                rows += 1
                expect(queue.tubes.byRow[row] == slot, "a tube has the row of another")
            }
            if queue.tubes[slot].log >= 0 {
                logs += 1
                expect(queue.activity.logs[queue.tubes[slot].log].tube == slot, "a tube has the log of another")
            }
            let activeIndex = queue.tubes[slot].activeIndex
            if activeIndex >= 0 {
                active += 1
                expect(
                    activeIndex < queue.tubes.active.count && queue.tubes.active[activeIndex] == slot,
                    "a tube is active elsewhere")
            }
            if let until = queue.tubes[slot].pausedUntil {
                paused += 1
                expect(
                    queue.tubes.pauses.tubes.contains(slot) && queue.tubes.pauses.nextEnd <= until,
                    "the end of a pause is not awaited"
                )
            }
            checkTube(slot, queue)
        }
        expect(queue.tubes.active.count == active, "\(queue.tubes.active.count) tubes are active, counted \(active)")
        expect(queue.activity.logs.count == logs, "\(queue.activity.logs.count) tubes have logs, counted \(logs)")
        expect(queue.tubes.byRow.count == rows, "\(queue.tubes.byRow.count) tubes have rows, counted \(rows)")
        expect(
            queue.tubes.pauses.tubes.count == paused,
            "\(queue.tubes.pauses.tubes.count) tubes are paused, counted \(paused)")
    }

    func checkTube(_ slot: Int, _ queue: borrowing Queue) {
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
        expect(queue.tubes[slot].pins, found.pins + (slot == queue.tubes.defaultTube ? 1 : 0), "pins")
        expect(queue.tubes[slot].putsInFlight, found.putsInFlight, "puts in flight")
        expect(queue.tubes[slot].leasedPuts, found.leasedPuts, "leased puts in flight")
        expect(queue.tubes[slot].cache.isRefilling ? 1 : 0, found.refills, "refills")
        expect(queue.tubes[slot].isOpening ? 1 : 0, found.openings, "queries for its row")
        self.expect(queue.tubes[slot].waiters.count >= found.waiting, "\(name): a client is not in line")
        self.expect(
            queue.tubes[slot].activeIndex >= 0 || found.watching + found.cached + found.refills == 0,
            "\(name) is in use and not active")
        self.expect(isHeap(queue.tubes[slot].cache.heap), "\(name): the cache is not a heap")
    }
}
