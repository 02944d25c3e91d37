/// Connections: their jobs, timers and shares of the sums.
extension InvariantCheck {
    func checkConnections(_ queue: borrowing Queue) {
        var (open, waiting, producers, workers, timers) = (0, 0, 0, 0, 0)
        var (bytes, waitingPuts) = (0, 0)
        for slot in queue.connections.slots {
            let isOpen = queue.connections[slot].isOpen
            guard isOpen || queue.connections.closing.contains(slot) else { continue }
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
                let entries = queue.connections.timers.entries
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
        expect(
            queue.connections.count == open + queue.connections.closing.count,
            "connections are neither open nor closing")
        expect(queue.connections.waiting == waiting, "\(queue.connections.waiting) clients wait, counted \(waiting)")
        expect(
            queue.connections.producers == producers, "\(queue.connections.producers) producers, counted \(producers)")
        expect(queue.connections.workers == workers, "\(queue.connections.workers) workers, counted \(workers)")
        expect(queue.connections.timers.count == timers, "\(queue.connections.timers.count) timers, counted \(timers)")
        expect(bytes == openPendingBytes, "connections are charged \(bytes) bytes of puts, counted \(openPendingBytes)")
        expect(waitingPuts == openWaitingPuts, "\(waitingPuts) puts wait, counted \(openWaitingPuts)")
        expect(isHeap(queue.connections.timers), "the timers are not a heap")
        expect(isHeap(queue.jobs.deadlines), "the deadlines are not a heap")
    }

    /// The jobs that a connection holds are a list through `next` and `previous`.
    func checkHeld(by slot: Int, _ queue: borrowing Queue) {
        var (job, last, soon) = (queue.connections[slot].firstHeld, -1, 0)
        var count = 0
        while job >= 0 {
            guard queue.jobs[job].owner == slot, queue.jobs[job].isHeld, queue.jobs[job].previous == last else {
                return expect(false, "the list of a connection's jobs is broken")
            }
            held -= 1
            count += 1
            soon += queue.jobs[job].isDueSoon ? 1 : 0
            last = job
            job = queue.jobs[job].next
        }
        expect(queue.connections[slot].lastHeld == last, "the list of a connection's jobs ends elsewhere")
        expect(queue.connections[slot].held == count, "a connection has \(count) jobs, counted otherwise")
        expect(queue.connections[slot].dueSoon == soon, "a connection has \(soon) deadlines close by")
    }
}
