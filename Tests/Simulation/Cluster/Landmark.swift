/// A state that the schedules have to reach; otherwise they prove little.
package enum Landmark: Int, CaseIterable, Sendable {
    case batchFoundCommitted, batchFoundLost, queriesFoundCommitted, queriesFoundLost, lateBatchTurnedAway
    case batchFenced, queriesFenced, refusedInHalves, waitedForLock, transactionTimedOut
    case crash, restart, left, joined, waitedForSole, freeze, suspension, outage, stall, partition
    case clockSet
    case declaredDead, foundItselfDead, wokeInTime, staleBatch, staleQueries
    case becameSole, endedSole, refillVoid, claimedWhileSettling, readWhileSettling, reconnected
    case foundUndecided, deferredUndecided, awaitedSettled, awaitedEpoch, answerAwaitedTube, fetchedBody
    case disconnect, halfClose, putLineAlone, pipelined, closedByBroker, timeToRunOver, deadlineSoon, timedOut
    case outOfMemory, internalError, pausedTube, kicked, swept, reservedByID, deletedUnheld, sqlPut, multipleBrokers
    case removedTube, tubeGone, noticed, awaitedElsewhere, leasedAhead, lostPeer, recalled, sqlTook, sqlSteered,
        sqlRefused
    case buriedByTimeouts, buriedByRelease, recorded, insertedBefore, contested
}

/// How often each landmark has been reached.
struct Coverage: Sendable {
    private(set) var counts = [Int](repeating: 0, count: Landmark.allCases.count)

    subscript(landmark: Landmark) -> Int { counts[landmark.rawValue] }

    mutating func reach(_ landmark: Landmark) { counts[landmark.rawValue] += 1 }

    static func += (a: inout Coverage, b: Coverage) {
        for at in a.counts.indices { a.counts[at] += b.counts[at] }
    }
}
