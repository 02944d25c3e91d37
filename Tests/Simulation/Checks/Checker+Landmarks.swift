@testable import QueueCore

/// What a schedule has reached, as far as only the inside of a queue tells.
extension Checker {
    /// A writer is about to tell what became of its batch.
    func willFinish(_ node: Node, _ parts: WriterParts) {
        guard let batch = node.broker.queue.inFlight(parts.kind) else { return }
        if batch.epoch != node.broker.queue.epoch { simulation.coverage.reach(.staleBatch) }
        if batch.endsSole { simulation.coverage.reach(.endedSole) }
        for move in batch.moves {
            if move.to == .buried, move.ticket == nil { simulation.coverage.reach(.buriedByTimeouts) }
            if node.broker.queue.reclaimed[move.id] != nil { simulation.coverage.reach(.reclaimed) }
            if node.broker.queue.jobs[move.slot].mustBeReread { simulation.coverage.reach(.mustBeReread) }
            if node.broker.queue.awaitingSettled[move.id] != nil { simulation.coverage.reach(.awaitedSettled) }
        }
        if !node.broker.queue.awaitingEpoch.isEmpty { simulation.coverage.reach(.awaitedEpoch) }
    }

    /// The reader is about to give its answers.
    func willFinish(_ node: Node, _ asked: [PendingQuery]) {
        if node.broker.queue.queriesEpoch != node.broker.queue.epoch { simulation.coverage.reach(.staleQueries) }
        for (_, limbo) in node.broker.queue.limbo {
            if limbo.row != nil { simulation.coverage.reach(.foundInLimbo) }
            if !limbo.deferred.isEmpty { simulation.coverage.reach(.deferredInLimbo) }
        }
        if !node.broker.queue.postponed.isEmpty { simulation.coverage.reach(.contested) }
        if !node.broker.queue.strangers.isEmpty { simulation.coverage.reach(.stranger) }
        for query in asked {
            switch query.purpose {
            case .refill(let tube):
                if node.broker.queue.tubes[tube].cache.isVoid { simulation.coverage.reach(.refillVoid) }
                if case .refill(_, _, _, _, .freeAndOwn) = query.query { simulation.coverage.reach(.readsOwn) }
            case .fetch: simulation.coverage.reach(.fetchedBody)
            case .pause:
                node.record.isPausing = true
                simulation.coverage.reach(.pausedTube)
            case .sweep: simulation.coverage.reach(.swept)
            default: break
            }
        }
    }
}
