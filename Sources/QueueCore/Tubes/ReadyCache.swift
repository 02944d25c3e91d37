/// The tube's next ready jobs, each with this broker's lease, written or not.
///
/// Invariant: every ready job of the tube with a key below `horizon` that this broker may claim is in `heap`. Jobs
/// from the horizon on may be there too. So the smallest job of the heap is the tube's smallest exactly if it lies
/// below the horizon; else the ready index is asked from the horizon on (design, section 5).
struct ReadyCache {
    var heap = IndexedHeap<JobKey>()
    /// `.first`: nothing is known. `.end`: the whole tube is here.
    var horizon = JobKey.first
    /// A refill is under way; `missed` is the smallest key that became claimable behind its back.
    var isRefilling = false
    var missed = JobKey.end
    /// The refill under way only reads, since this broker is the sole one; `isVoid`: it is no more.
    var isReading = false
    var isVoid = false
    /// Rows may have this broker's lease without being known here: refills take those too, until all have been seen.
    var readsOwn = false
    /// What has happened to jobs since such a refill was asked: its rows of them may be older.
    var settledMeanwhile: Set<JobID> = []
    /// How many jobs the next refill asks for.
    var chunk = ReadyCache.smallestChunk
    /// When the last client stopped watching.
    var idleSince: Instant?

    static let smallestChunk = 32
    static let largestChunk = 1024

    /// A refill is under way whose rows may be older than what is known here.
    var mayBeStale: Bool { isRefilling && (readsOwn || isReading) }

    /// A job with this key became claimable in the database alone.
    mutating func lowerHorizon(to key: JobKey) {
        horizon = min(horizon, key)
        if isRefilling { missed = min(missed, key) }
    }
}
