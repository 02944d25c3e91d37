@testable import QueueCore

/// Landmarks that are visible only inside of a queue.
extension Checker {
    /// A writer is about to report the outcome of its batch.
    func willFinish(_ node: Node, _ parts: WriterParts) {
        guard let batch = node.broker.queue.inFlight(parts.kind) else { return }
        if batch.epoch != node.broker.queue.epoch { simulation.coverage.reach(.staleBatch) }
        if node.broker.queue.peers > 0,
            batch.puts.contains(where: { $0.isLeased && node.broker.queue.tubes[$0.tubeSlot].waiting == 0 })
        {
            simulation.coverage.reach(.leasedAhead)
        }
        if batch.endsSole { simulation.coverage.reach(.endedSole) }
        for change in batch.stateChanges {
            if change.to == .buried, change.ticket == nil { simulation.coverage.reach(.buriedByTimeouts) }
            switch node.broker.queue.jobs[change.slot].encounter {
            case .none: break
            case .read: simulation.coverage.reach(.readWhileSettling)
            case .claimed: simulation.coverage.reach(.claimedWhileSettling)
            }
            if node.broker.queue.jobs.awaitingSettled[change.id] != nil {
                simulation.coverage.reach(.awaitedSettled)
            }
        }
        if !node.broker.queue.membership.commandsAwaitingRenewal.isEmpty { simulation.coverage.reach(.awaitedEpoch) }
    }

    /// The reader is about to give its answers.
    func willFinish(_ node: Node, _ asked: [PendingQuery]) {
        if node.broker.queue.queries.epoch != node.broker.queue.epoch { simulation.coverage.reach(.staleQueries) }
        for (_, undecided) in node.broker.queue.jobs.undecided {
            if undecided.row != nil { simulation.coverage.reach(.foundUndecided) }
            if !undecided.deferred.isEmpty { simulation.coverage.reach(.deferredUndecided) }
        }
        if !node.broker.queue.queries.postponed.isEmpty { simulation.coverage.reach(.contested) }
        if !node.broker.queue.queries.answersAwaitingTubes.isEmpty { simulation.coverage.reach(.answerAwaitedTube) }
        for query in asked {
            switch query.query {
            case .refill:
                if node.broker.queue.tubes[query.tube].cache.isVoid { simulation.coverage.reach(.refillVoid) }
            case .fetch: simulation.coverage.reach(.fetchedBody)
            case .pause where query.tube >= 0:
                node.record.isPausing = true
                simulation.coverage.reach(.pausedTube)
            case .sweep: simulation.coverage.reach(.swept)
            default: break
            }
        }
    }
}
