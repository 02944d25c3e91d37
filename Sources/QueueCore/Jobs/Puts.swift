/// Puts that have not been answered, apart from those in a lane, and what limits them.
struct Puts {
    /// Those that wait for their tube's row or for an id.
    var waiting: [PutRequest] = []
    var ids = IDs()
    /// Bytes of puts that wait for a commit: of large bodies, and of all others.
    var pendingLargeBytes = 0
    var pendingBytes = 0
    /// No put is accepted any more.
    var isDraining = false
}
