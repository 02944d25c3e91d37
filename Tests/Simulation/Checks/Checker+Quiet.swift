@testable import QueueCore

/// Everything has healed and nothing is under way. What brokers believe, what rows say and what clients were told
/// agree.
extension Checker {
    func checkQuiet() {
        checkNothingIsLost()
        for node in simulation.living where violation == nil {
            if node.isDead { return fail(8, "\(node) does not find back") }
            if !node.isQuiet { return fail(8, "\(node) is not done: \(node.work)") }
            checkJobs(node)
            checkRows(node)
            checkNothingIsOwed(node)
            checkCounts(node)
        }
        checkReservations()
    }

    private func checkJobs(_ node: Node) {
        for (id, slot) in node.broker.queue.jobs.byID {
            let job = node.broker.queue.jobs[slot]
            guard let row = database.rows[id] else { return fail(3, "\(node) has \(id), which is gone") }
            let isCovered =
                job.isImplicit && database.sole == node.broker.queue.epoch && database.isFree(row)
            if row.lease != node.broker.queue.epoch, !isCovered { fail(2, "\(id) is \(job.phase) without its lease") }
            if job.isSettling { fail(8, "\(id) settles for ever") }
            if row.state != job.stored || row.priority != job.key.priority { fail(6, "\(id) differs from its row") }
        }
    }

    /// Each row that has the broker's lease is in memory. Each row that it could claim is, too, or will be read.
    private func checkRows(_ node: Node) {
        let epoch = node.broker.queue.epoch
        for row in database.rows.values where node.broker.queue.jobs.byID[row.id] == nil {
            guard let tube = node.broker.queue.tubes.byRow[row.tube] else { continue }
            let cache = node.broker.queue.tubes[tube].cache
            if row.lease == epoch {
                fail(8, "\(node) has leaked the lease of \(row.id)")
            } else if database.isFree(row), row.state == .ready, row.key < cache.horizon, isKnown(row, to: node) {
                fail(4, "\(row.id) lies below the horizon of \(node)")
            }
        }
    }

    private func checkNothingIsOwed(_ node: Node) {
        if node.broker.queue.puts.pendingBytes + node.broker.queue.puts.pendingLargeBytes != 0 {
            fail(5, "puts pend for ever")
        }
        if !node.broker.queue.jobs.undecided.isEmpty { fail(8, "a job stays undecided for ever") }
        let open = node.broker.queue.connections.elements.filter(\.isOpen)
        if open.contains(where: { !$0.replies.isEmpty || $0.parked != nil }) { fail(8, "a reply is owed for ever") }
    }

    private func checkCounts(_ node: Node) {
        // The next heartbeat tells what others have changed. Nobody tells the sole broker what SQL has put.
        guard database.journal.changedAt + .milliseconds(1500) < simulation.now else { return }
        guard node.broker.queue.peers > 0 || !simulation.hasPutBySQL else { return }
        for tube in database.tubes {
            let counts = database.counts(of: tube.id)
            var known = StateCounts()
            if let slot = node.broker.queue.tubes.byName[tube.name] { known = node.broker.queue.tubes[slot].stored }
            if counts != known {
                fail(6, "\(node) counts \(known) in \(tube.name), where there are \(counts)")
            }
        }
    }

    /// Invariant 6: the database tells the truth. The rows tell who holds which job.
    private func checkReservations() {
        // When the clock is set back, SQL sessions have their jobs for longer. A broker ends their leases, each
        // second.
        let clock = database.clock(simulation.now)
        let taken = database.sql.leases.filter { $0.value > clock - .seconds(2) }
        var told = Set(database.rows.values.filter { database.isReserved($0) && taken[$0.id] == nil }.map(\.id))
        for node in simulation.living where violation == nil {
            for (id, slot) in node.broker.queue.jobs.byID where node.broker.queue.jobs[slot].isHeld {
                let job = node.broker.queue.jobs[slot]
                let left = (job.deadline - node.broker.now).nanoseconds
                let isNew = told.remove(id) == nil
                // A transaction that was left open before the calm may have locked the row for 3 s, and the update
                // waits for it.
                if isNew, job.reservations.last + .seconds(2) < node.broker.now {
                    fail(6, "the row of \(id) does not tell that it is held")
                } else if !isNew, node.hasNeverStoodStill,
                    job.deadline - .seconds(job.ttr) > simulation.calmSince + .seconds(3),
                    let until = database.rows[id]?.reservedUntil
                {
                    let difference = (until - database.clock(simulation.now)).nanoseconds - left
                    if abs(difference) > 1_000_000_000 {
                        fail(6, "the row of \(id) tells a deadline that is off by \(difference / 1_000_000) ms")
                    }
                }
            }
        }
        if let id = told.first { fail(6, "the row of \(id) tells of a reservation that is over") }
    }

    // MARK: Nobody waits for nothing

    /// Invariant 8: there has been time to find what others have put, and to give back what nobody here wants.
    func checkNobodyWaitsForNothing() {
        for node in simulation.living where violation == nil {
            for connection in node.broker.queue.connections.elements where connection.isOpen {
                guard let wait = connection.wait else { continue }
                if let until = wait.until, until + .seconds(1) < node.broker.now { fail(8, "a wait has no end") }
                for tube in connection.watched { checkNobodyWaits(for: tube, node) }
            }
        }
    }

    /// Whether there has been time to find the last change of a job.
    private func isSettled(_ id: JobID) -> Bool {
        database.rows[id].map { $0.change.at + .milliseconds(2500) < simulation.now } ?? false
    }

    private func checkNobodyWaits(for tube: Int, _ node: Node) {
        guard node.broker.queue.tubes[tube].pausedUntil == nil, let row = node.broker.queue.tubes[tube].row else {
            return
        }
        if let first = node.broker.queue.tubes[tube].cache.heap.min {
            fail(8, "somebody at \(node) waits for \(first.key.id), which it has cached")
        }
        for key in database.claimable(in: row)
        where node.broker.queue.jobs.byID[key.id] == nil && isSettled(key.id) {
            fail(8, "somebody at \(node) waits for \(key.id), which is free")
        }
        for other in simulation.living where other !== node {
            guard let slot = other.broker.queue.tubes.byRow[row] else { continue }
            if let kept = other.broker.queue.tubes[slot].cache.heap.min, isSettled(kept.key.id) {
                fail(8, "somebody at \(node) waits for \(kept.key.id), which \(other) keeps in its cache")
            }
        }
    }
}

extension Node {
    /// Whether nothing is under way between the queue and the store.
    var isQuiet: Bool { writers.allSatisfy(\.parts.isIdle) && reader.queries.isEmpty && broker.queue.isQuiet }

    /// What is under way, for the report of a violation.
    var work: String {
        "\(reader.queries.map(\.query)) asked, \(broker.queue.work), "
            + "batches \(writers.map { $0.parts.next?.summary ?? "-" })"
    }
}

// Inside of the queue: when read through a class, a part of a lane was released once too often (Swift 6.3.1,
// optimized).
extension Queue {
    fileprivate var isQuiet: Bool {
        queries.waiting.isEmpty && lanes.puts.isIdle && lanes.changes.isIdle && lanes.largePuts.isIdle
            && lanes.annotations.isEmpty
            && puts.waiting.isEmpty
    }

    fileprivate var work: String {
        "\(queries.waiting.map(\.query)) to ask, \(lanes.puts.pending.count) puts and \(lanes.changes.pending.count) changes to "
            + "commit, \(puts.waiting.count) waiting puts"
    }

    func inFlight(_ kind: WriteKind) -> WriteBatch? { lanes[kind].inFlight }
}
