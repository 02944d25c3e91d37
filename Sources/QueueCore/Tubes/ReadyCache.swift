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
    /// A refill is under way.
    var isRefilling = false
    /// The smallest key that became claimable since the refill was sent.
    var missed = JobKey.end
    /// The refill under way only reads, since this broker is the sole one.
    var isReading = false
    /// The broker stopped being the sole one while the refill read: its answer is not used.
    var isVoid = false
    /// Jobs that have settled since the refill was sent. The refill may return their rows from before that.
    var settledMeanwhile: Set<JobID> = []
    /// How many jobs the next refill asks for.
    var chunk = ReadyCache.smallestChunk
    /// When the last client stopped watching.
    var idleSince: Instant?

    static let smallestChunk = 32
    static let largestChunk = 1024

    /// A refill is under way whose rows may be older than what is known here.
    var mayBeStale: Bool { isRefilling && isReading }

    /// A job with this key has become claimable in the database alone.
    mutating func lowerHorizon(to key: JobKey) {
        horizon = min(horizon, key)
        if isRefilling { missed = min(missed, key) }
    }
}
