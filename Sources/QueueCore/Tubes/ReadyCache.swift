/// The tube's next ready jobs, each with this broker's lease, written or not
/// (docs/ARCHITECTURE.md, The priority cache).
///
/// Invariant: every ready job of the tube with a key below `horizon` that this broker may claim is in `heap`. Jobs
/// beyond the horizon may be there too. So the smallest job of the heap is the tube's smallest exactly if it lies
/// below the horizon. Otherwise the database is asked for the ready jobs from the horizon on.
struct ReadyCache {
    var heap = IndexedHeap<JobKey>()
    /// `.first`: nothing is known. `.end`: the whole tube is known.
    var horizon = JobKey.first
    /// A refill is under way. `missed`: the smallest key that became claimable since it was sent.
    var isRefilling = false
    var missed = JobKey.end
    /// The refill under way only reads, since this broker is the sole one. `isVoid`: the broker is not the sole one
    /// any more, and the answer is not used.
    var isReading = false
    var isVoid = false
    /// Rows may have this broker's lease although the jobs are not in memory. Refills return these rows too, until
    /// all have been seen.
    var readsOwn = false
    /// Jobs that have settled since the refill was sent. Its rows of them may be older.
    var settledMeanwhile: Set<JobID> = []
    /// How many jobs the next refill asks for.
    var chunk = ReadyCache.smallestChunk
    /// When the last client stopped watching.
    var idleSince: Instant?

    static let smallestChunk = 32
    static let largestChunk = 1024

    /// A refill is under way whose rows may be older than what is known here.
    var mayBeStale: Bool { isRefilling && (readsOwn || isReading) }

    /// A job with this key has become claimable in the database alone.
    mutating func lowerHorizon(to key: JobKey) {
        horizon = min(horizon, key)
        if isRefilling { missed = min(missed, key) }
    }
}
