@testable import QueueCore

/// What is known of a broker from outside.
struct NodeRecord {
    private var clients = 0
    /// When it became the sole broker, if it is.
    private var soleSince: Instant?
    /// When the tubes were read that it knows.
    private var tubesReadAt = Instant(nanoseconds: 0)
    /// A sole broker has read everything that was there until then, in tubes that it knows.
    var knowsUntil: Instant? { soleSince.map { min($0, tubesReadAt) } }
    /// Before the event at hand: the jobs in its cache, and the paused tubes.
    var cached: Set<JobID> = []
    var cachedBytes = 0
    var paused: Set<Int> = []
    /// Pauses come and go during the event at hand.
    var isPausing = false
    var timeouts: UInt64 = 0
    /// Jobs that its clients were told were kicked.
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

/// What is known of a client from what it sent and was told.
struct ClientRecord {
    struct Asked {
        var command: Command
        /// By the broker's clock.
        var at: Instant
        /// The hold that the command is about to end, or to extend.
        var hold: Hold?
        /// Of the job, at that time.
        var counters: JobCounters?
    }

    /// Commands that the queue has been given and not answered.
    var asked: [Asked] = []
    var using = TubeName.default
    var watched: Set<TubeName> = [.default]
}

/// A job in the hands of a client, as that was told.
struct Hold {
    let client: RemoteClient
    var epoch: Int64
    /// Until when it surely has the job, by its broker's clock.
    var until: Instant

    func isSure(in database: Database) -> Bool {
        client.node.isAlive && !client.handler.isClosed && !client.handler.isFinishing
            && database.epochs.contains(epoch) && until > client.node.broker.now
    }
}
