/// Ids for new jobs, which the keeper fetches in blocks.
extension Queue {
    /// How many ids to fetch, about twice the number used since the last fetch; `nil` while there are enough.
    public mutating func takeIDRequest() -> Int? {
        let left = ids.reduce(0) { $0 + $1.count }
        guard epoch != 0, idsWanted || left < idsUsed / 2 else { return nil }
        let count = min(max(Queue.fewestIDs, idsUsed * 2), Queue.mostIDs)
        idsWanted = false
        idsUsed = 0
        return count
    }

    /// Whether `takeIDRequest` has a request that puts wait for.
    var needsIDs: Bool { epoch != 0 && idsWanted }

    static let fewestIDs = 100
    static let mostIDs = 100_000

    /// Ids that are given to this broker alone.
    public mutating func add(ids new: [ClosedRange<JobID>], now: Instant) {
        ids += new
        for range in new {
            if range.lowerBound > lastFetchedID + 1 { lastIDElsewhere = max(lastIDElsewhere, range.lowerBound - 1) }
            lastFetchedID = max(lastFetchedID, range.upperBound)
        }
        issueWaitingPuts(now: now)
        conclude(now: now)
    }

    /// The last id that anybody has taken from the sequence.
    public mutating func learn(lastID: JobID) {
        // Else it is the end of this broker's own block.
        if lastID > lastFetchedID { lastIDElsewhere = max(lastIDElsewhere, lastID) }
    }

    /// No job of the queue has a greater id, as of the last heartbeat.
    var lastID: JobID { max(lastGivenID, lastIDElsewhere) }

    /// Ids that were not used may have been given to other brokers.
    public mutating func forgetIDs() {
        ids = []
        idsWanted = true
    }

    /// The request has failed: it is made again.
    public mutating func idRequestFailed() { idsWanted = true }

    mutating func nextID() -> JobID? {
        guard let range = ids.first else {
            idsWanted = true
            return nil
        }
        if range.count == 1 {
            ids.removeFirst()
            if ids.isEmpty { idsWanted = true }
        } else {
            ids[0] = range.lowerBound + 1...range.upperBound
        }
        idsUsed += 1
        lastGivenID = max(lastGivenID, range.lowerBound)
        return range.lowerBound
    }
}
