/// What the queue tells of itself at one moment.
extension Queue {
    /// The queue with all its tubes. Takes some hundred nanoseconds a tube.
    public func snapshot(now: Instant) -> QueueSnapshot {
        var snapshot = summary(now: now)
        snapshot.tubes = tubes.listing.map { self.snapshot(ofTube: $0, now: now) }
        return snapshot
    }

    /// The queue without its tubes.
    public func summary(now: Instant) -> QueueSnapshot {
        var snapshot = QueueSnapshot()
        snapshot.stats = stats()
        snapshot.epoch = epoch
        snapshot.isEpochValid = epoch != 0 && now < epochValidUntil
        snapshot.isSole = sharing == .sole
        snapshot.peers = peers
        snapshot.pendingBytes = puts.pendingBytes + puts.pendingLargeBytes
        snapshot.pendingLimit = configuration.maxPendingBytes
        snapshot.refusedPuts = activity.refusedPuts
        snapshot.cachedBytes = jobs.cachedBytes
        snapshot.cacheLimit = configuration.cacheBytes
        return snapshot
    }

    public var tubeCount: Int { tubes.listing.count }

    /// How many tubes were removed so far. While it is the same, tubes keep their places in the listing.
    public var removedTubes: Int { tubes.removed }

    /// Tubes by their places in the listing, from the last one of `end` places on towards the first, up to `limit`.
    ///
    /// A removed tube gives its place to the last one. So whoever goes from the end to the beginning in several calls
    /// misses no tube that exists all the time; one that has moved comes twice.
    public func snapshot(ofTubesBefore end: Int, limit: Int, now: Instant) -> [TubeSnapshot] {
        let end = min(end, tubes.listing.count)
        return tubes.listing[max(0, end - limit)..<end].map { snapshot(ofTube: $0, now: now) }
    }

    /// The same tubes, in less time.
    public func lines(ofTubesBefore end: Int, limit: Int, now: Instant) -> [TubeLine] {
        let end = min(end, tubes.listing.count)
        return tubes.listing[max(0, end - limit)..<end].map { slot in
            var line = TubeLine(name: tubes[slot].name)
            line.jobs = tubes[slot].jobs
            line.using = tubes[slot].using
            line.watching = tubes[slot].watching
            line.waiting = tubes[slot].waiting
            line.pauseLeft = tubes[slot].pausedUntil.map { ($0 - now).wholeSecondsLeft } ?? 0
            line.hasPolicy = tubes[slot].policy != nil
            line.maxReady = tubes[slot].policy?.maxReady
            if tubes[slot].log >= 0 {
                line.puts = activity.logs[tubes[slot].log].activity.puts
                line.deletes = activity.logs[tubes[slot].log].activity.deletes
                line.waited = activity.logs[tubes[slot].log].activity.waited
            }
            return line
        }
    }

    /// The tubes among these that have jobs.
    public func levels(ofTubesBefore end: Int, limit: Int) -> [TubeLevel] {
        let end = min(end, tubes.listing.count)
        return tubes.listing[max(0, end - limit)..<end].compactMap { slot in
            let jobs = tubes[slot].jobs
            guard jobs.total > 0, let row = tubes[slot].row else { return nil }
            return TubeLevel(row: row, name: tubes[slot].name, jobs: jobs, isPaused: tubes[slot].pausedUntil != nil)
        }
    }

    /// `nil` if there is no such tube.
    public func snapshot(of name: TubeName, now: Instant) -> TubeSnapshot? {
        tubes.byName[name].map { snapshot(ofTube: $0, now: now) }
    }

    private func snapshot(ofTube slot: Int, now: Instant) -> TubeSnapshot {
        var snapshot = TubeSnapshot(name: tubes[slot].name)
        snapshot.row = tubes[slot].row
        snapshot.jobs = tubes[slot].jobs
        snapshot.using = tubes[slot].using
        snapshot.watching = tubes[slot].watching
        snapshot.waiting = tubes[slot].waiting
        snapshot.pause = tubes[slot].pause
        snapshot.pauseLeft = tubes[slot].pausedUntil.map { ($0 - now).wholeSecondsLeft } ?? 0
        if let policy = tubes[slot].policy {
            snapshot.hasPolicy = true
            snapshot.maxReady = policy.maxReady
            snapshot.hasDeadLetters = policy.buryAfterTimeouts != nil || policy.buryAfterReleases != nil
        }
        snapshot.totalJobs = tubes[slot].totalJobs
        snapshot.deletes = tubes[slot].deletes
        snapshot.pauses = tubes[slot].pauses
        if tubes[slot].log >= 0 { snapshot.activity = activity.logs[tubes[slot].log].activity }
        return snapshot
    }

    // MARK: Clients

    /// How many tubes and jobs of a client are told.
    static let toldOfClient = 100

    /// Up to `limit` clients, in no order.
    public func clients(limit: Int) -> [ClientSnapshot] {
        var clients: [ClientSnapshot] = []
        for slot in connections.slots where connections[slot].isOpen {
            guard clients.count < limit else { break }
            clients.append(client(slot))
        }
        return clients
    }

    /// Clients that are connected, and those whose jobs are being given back.
    public var clientCount: Int { connections.count }

    private func client(_ slot: Int) -> ClientSnapshot {
        var client = ClientSnapshot(id: id(of: slot), using: tubes[connections[slot].used].name)
        client.isProducer = connections[slot].isProducer
        client.isWorker = connections[slot].isWorker
        client.isWaiting = connections[slot].wait != nil
        client.watching = connections[slot].watched.prefix(Queue.toldOfClient).map { tubes[$0].name }
        client.held = connections[slot].held
        var job = connections[slot].firstHeld
        while job >= 0, client.holds.count < Queue.toldOfClient {
            client.holds.append(jobs[job].key.id)
            job = jobs[job].next
        }
        return client
    }

    /// The client of this broker that has the job.
    public func holder(of job: JobID) -> ConnectionID? {
        guard let slot = jobs.byID[job], jobs[slot].isHeld else { return nil }
        return id(of: jobs[slot].owner)
    }
}

/// A client at one moment.
public struct ClientSnapshot: Sendable {
    public var id: ConnectionID
    public var isProducer = false
    public var isWorker = false
    /// It waits for a job.
    public var isWaiting = false
    public var using: TubeName
    /// Up to 100.
    public var watching: [TubeName] = []
    /// The jobs that it has, up to 100, the one reserved last first.
    public var holds: [JobID] = []
    /// How many jobs it has.
    public var held = 0

    public init(id: ConnectionID, using: TubeName) {
        self.id = id
        self.using = using
    }
}

/// The jobs of a tube.
public struct TubeLevel: Sendable {
    /// Its number in PostgreSQL.
    public var row: TubeID
    public var name: TubeName
    public var jobs: JobCounts
    public var isPaused: Bool

    public init(row: TubeID, name: TubeName, jobs: JobCounts, isPaused: Bool = false) {
        self.row = row
        self.name = name
        self.jobs = jobs
        self.isPaused = isPaused
    }
}
