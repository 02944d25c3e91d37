/// One home for each job: the cache, a client, or a write under way.
extension InvariantCheck {
    func checkJobs(_ queue: borrowing Queue) {
        expect(queue.jobs.count == queue.jobs.byID.count, "jobs in memory without an id")
        for (id, slot) in queue.jobs.byID {
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
                    has(queue.jobs.deadlines, position, slot, queue.jobs[slot].deadline - margin),
                    "job \(id) has no deadline, or another's")
                expect(queue.jobs[slot].owner >= 0, "job \(id) is held by nobody")
            case .settling:
                settling += 1
                expect(position < 0 && queue.jobs[slot].owner < 0, "job \(id) is settling and somewhere else too")
            }
            expect(
                queue.jobs[slot].isCached || queue.jobs[slot].charged == 0, "job \(id) is charged to the cache")
        }
        for id in queue.jobs.undecided.keys {
            expect(queue.jobs.byID[id] == nil, "job \(id) is undecided and in memory")
        }
    }
}
