@testable import QueueCore

/// What is known of a broker from outside.
struct NodeRecord {
    private var clients = 0
    /// Since when it has been the sole broker, if it is.
    private var soleSince: Instant?
    /// When the tubes that it knows were read.
    private var tubesReadAt = Instant(nanoseconds: 0)
    /// A sole broker has read everything that existed at this time, in the tubes that it knows.
    var knowsUntil: Instant? { soleSince.map { min($0, tubesReadAt) } }
    /// Before the current event: the jobs in its cache, and the paused tubes.
    var cached: Set<JobID> = []
    var cachedBytes = 0
    var paused: Set<Int> = []
    /// Pauses begin and end during the current event.
    var isPausing = false
    var timeouts: UInt64 = 0
    /// How many jobs its clients were told they have kicked.
    var kicked = 0

    mutating func nextClient() -> Int {
        clients += 1
        return clients
    }

    mutating func attached(isSole: Bool, at now: Instant) { soleSince = isSole ? now : nil }

    mutating func hasRead(tubesAt time: Instant) { tubesReadAt = time }

    mutating func becameSole(at now: Instant) { soleSince = now }

    mutating func renewed(peers: Int, isSole: Bool) {
        if peers > 0 || !isSole { soleSince = nil }
    }
}

/// What is known of a client from its commands and their replies.
struct ClientRecord {
    struct Asked {
        var command: Command
        /// By the broker's clock.
        var at: Instant
        /// The hold that the command ends or extends.
        var hold: Hold?
        /// The job's counters at that time.
        var counters: JobCounters?
    }

    /// Commands that the queue has been given and has not answered.
    var asked: [Asked] = []
    var using = TubeName.default
    var watched: Set<TubeName> = [.default]
}

/// A job that a client holds, as the client was told.
struct Hold {
    let client: RemoteClient
    var epoch: Int64
    /// Until when the client surely holds the job, by its broker's clock.
    var until: Instant

    func isSure(in database: Database) -> Bool {
        client.node.isAlive && !client.handler.isClosed && !client.handler.isFinishing
            && database.epochs.contains(epoch) && until > client.node.broker.now
    }
}
