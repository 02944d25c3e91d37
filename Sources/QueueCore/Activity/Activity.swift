import DequeModule

/// What has been counted, of the broker and in each tube.
struct Activity {
    var logs = SlotMap<TubeLog>()
    /// Logs with something that has not been told, and what was not told of tubes that are gone.
    var logsToTell: Deque<Int> = []
    var gone: [ActivityChange] = []

    var commands = CommandCounters()
    var jobTimeouts: UInt64 = 0
    /// Puts that were answered `OUT_OF_MEMORY` or `INTERNAL_ERROR`.
    var refusedPuts: UInt64 = 0
    var totalJobs: UInt64 = 0
    /// What `stats` said of deletes.
    var deletesTold: UInt64 = 0
}
