@testable import QueueCore

/// Invariant 5: bounded memory.
extension Checker {
    /// The most bytes that puts and the cache may take, whatever happens.
    static func limits(_ profile: Profile) -> (pending: Int, cached: Int) {
        // Jobs that were asked for while there was room may come when there is none: as many as each tube's refill
        // and the batches under way have, without their bodies.
        let room = profile.configuration.cacheBytes / (2 * Queue.jobOverhead)
        let underWay = profile.tubes.count * (profile.clients + room) + 200
        return (
            // A put that is larger than the limit is accepted when it is alone.
            pending: max(profile.configuration.maxPendingBytes, Queue.jobOverhead + 302),
            cached: profile.configuration.cacheBytes + underWay * Queue.jobOverhead
        )
    }

    func checkBounds(_ node: Node) {
        let cached = node.broker.queue.jobs.cachedBytes
        let pending = max(node.broker.queue.puts.pendingBytes, node.broker.queue.puts.pendingLargeBytes)
        if pending > limits.pending { fail(5, "\(pending) bytes of puts are pending") }
        if cached > limits.cached { fail(5, "\(cached) bytes are cached") }
        if node.broker.queue.activity.jobTimeouts != node.record.timeouts {
            node.record.timeouts = node.broker.queue.activity.jobTimeouts
            simulation.coverage.reach(.timeToRunOver)
        }
    }

    /// All clients have left: nothing of them is kept.
    func checkForgotten() {
        for node in simulation.living where violation == nil {
            checkForgotten(node)
        }
    }

    private func checkForgotten(_ node: Node) {
        func check(_ what: String, _ count: Int) {
            if count != 0 { fail(5, "\(node) keeps \(count) of its \(what) for ever") }
        }
        check("connections", node.broker.queue.connections.count)
        check("jobs", node.broker.queue.jobs.count)
        check("bytes", node.broker.queue.jobs.cachedBytes)
        check("undecided jobs", node.broker.queue.jobs.undecided.count)
        check(
            "queries",
            node.broker.queue.queries.waiting.count + node.broker.queue.queries.answersAwaitingTubes.count
                + node.broker.queue.queries.postponed.count
                + node.broker.queue.queries.answersAwaitingRenewal.count)
        check(
            "waiting commands",
            node.broker.queue.membership.commandsAwaitingRenewal.count + node.broker.queue.jobs.awaitingSettled.count)
        check("annotations", node.broker.queue.lanes.annotations.count)
        check("reservations", node.broker.queue.jobs.unannotated.oldest == nil ? 0 : 1)
        check("timers", node.broker.queue.connections.timers.count + node.broker.queue.jobs.deadlines.count)
        for slot in node.broker.queue.tubes.listing where slot != node.broker.queue.tubes.defaultTube {
            let tube = node.broker.queue.tubes[slot]
            // Nobody counts jobs that SQL has put: deleting one more than is counted makes up for a put.
            if !tube.isReferenced, !simulation.hasPutBySQL { fail(5, "\(node) keeps \(tube.name) for ever") }
            check("users of \(tube.name)", tube.using + tube.watching + tube.pins + tube.inMemory + tube.waiting)
            check("held counts of \(tube.name)", tube.held.total)
        }
    }
}
