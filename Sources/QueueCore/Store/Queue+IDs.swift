/// Ids for new jobs, which the keeper fetches in blocks.
struct IDs {
    private var ranges: [ClosedRange<JobID>] = []
    private(set) var areWanted = false
    private var used = 0
    /// The last id that was given to a job here, the last one that was fetched, and the last one that may belong to a
    /// job of others.
    private var lastGiven: JobID = 0
    private var lastFetched: JobID = 0
    private var lastElsewhere: JobID = 0

    static let fewest = 100
    static let most = 100_000

    /// How many to fetch, about twice the number used since the last fetch; `nil` while there are enough.
    mutating func takeRequest() -> Int? {
        let left = ranges.reduce(0) { $0 + $1.count }
        guard areWanted || left < used / 2 else { return nil }
        let count = min(max(IDs.fewest, used * 2), IDs.most)
        areWanted = false
        used = 0
        return count
    }

    mutating func want() { areWanted = true }

    mutating func add(_ new: [ClosedRange<JobID>]) {
        ranges += new
        for range in new {
            if range.lowerBound > lastFetched + 1 { lastElsewhere = max(lastElsewhere, range.lowerBound - 1) }
            lastFetched = max(lastFetched, range.upperBound)
        }
    }

    /// The last id that anybody has taken from the sequence.
    mutating func learn(last: JobID) {
        // Else it is the end of this broker's own block.
        if last > lastFetched { lastElsewhere = max(lastElsewhere, last) }
    }

    /// No job of the queue has a greater id, as of the last heartbeat.
    var last: JobID { max(lastGiven, lastElsewhere) }

    mutating func forget() {
        ranges = []
        areWanted = true
    }

    mutating func next() -> JobID? {
        guard let range = ranges.first else {
            areWanted = true
            return nil
        }
        if range.count == 1 {
            ranges.removeFirst()
            if ranges.isEmpty { areWanted = true }
        } else {
            ranges[0] = range.lowerBound + 1...range.upperBound
        }
        used += 1
        lastGiven = max(lastGiven, range.lowerBound)
        return range.lowerBound
    }
}

extension Queue {
    /// How many ids to fetch, about twice the number used since the last fetch; `nil` while there are enough.
    public mutating func takeIDRequest() -> Int? { epoch == 0 ? nil : puts.ids.takeRequest() }

    /// Whether `takeIDRequest` has a request that puts wait for.
    var needsIDs: Bool { epoch != 0 && puts.ids.areWanted }

    /// Ids that are given to this broker alone.
    public mutating func add(ids new: [ClosedRange<JobID>], now: Instant) {
        puts.ids.add(new)
        issueWaitingPuts(now: now)
        conclude(now: now)
    }

    /// The last id that anybody has taken from the sequence.
    public mutating func learn(lastID: JobID) { puts.ids.learn(last: lastID) }

    /// Ids that were not used may have been given to other brokers.
    public mutating func forgetIDs() { puts.ids.forget() }

    /// The request has failed: it is made again.
    public mutating func idRequestFailed() { puts.ids.want() }
}
