import NIOCore
public import PostgresStore
public import QueueCore

/// What the broker tells of itself.
extension Server {
    /// The queue at this moment. Its lock is held for up to 5,000 tubes at a time.
    public func snapshot() -> QueueSnapshot { broker.snapshot() }

    /// The same with less of the tubes, in less time.
    public func outline() -> QueueOutline { broker.outline() }

    /// The number of this life of the broker; 0 while it is not registered.
    public var epoch: Int64 { broker.epoch }

    /// One tube at this moment; `nil` if it does not exist.
    public func snapshot(of tube: TubeName) -> TubeSnapshot? { broker.snapshot(of: tube) }

    /// The store at this moment; `nil` while there is none.
    public func storeSnapshot() -> StoreSnapshot? { broker.storeSnapshot() }

    /// Up to `limit` clients, and how many there are.
    public func clients(limit: Int) async -> (clients: [ConnectedClient], total: Int) {
        let (states, total) = broker.clients(limit: limit)
        var peers: [ConnectionID: ClientPeer] = [:]
        for loop in broker.loops {
            for peer in (try? await loop.peers().get()) ?? [] { peers[peer.id] = peer }
        }
        let clients = states.compactMap { state in
            peers[state.id].map {
                ConnectedClient(
                    state: state, address: $0.address, connectedSeconds: $0.connectedSeconds,
                    idleSeconds: $0.idleSeconds)
            }
        }
        return (clients, total)
    }

    /// The addresses of the clients of this broker that have these jobs.
    public func addresses(ofHoldersOf jobs: [JobID]) async -> [JobID: String] {
        var addresses: [JobID: String] = [:]
        for (job, client) in broker.holders(of: jobs) {
            for loop in broker.loops {
                if let peer = try? await loop.peer(client).get() { addresses[job] = peer.address }
            }
        }
        return addresses
    }
}

extension Broker {
    /// The tubes that one hold of the lock looks at.
    private static let tubesAtOnce = 5000

    func snapshot() -> QueueSnapshot {
        let now = now()
        var snapshot = look { queue in queue.summary(now: now) }
        snapshot.tubes = allTubes(name: \.name) { queue, end in
            queue.snapshot(ofTubesBefore: end, limit: Broker.tubesAtOnce, now: now)
        }
        return snapshot
    }

    func outline() -> QueueOutline {
        let now = now()
        let queue = look { queue in queue.summary(now: now) }
        let tubes = allTubes(name: \.name) { queue, end in
            queue.lines(ofTubesBefore: end, limit: Broker.tubesAtOnce, now: now)
        }
        return QueueOutline(queue: queue, tubes: tubes)
    }

    func tubeLevels() -> (tubes: [TubeLevel], all: JobCounts) {
        let tubes = allTubes(name: \.name) { queue, end in
            queue.levels(ofTubesBefore: end, limit: Broker.tubesAtOnce)
        }
        return (tubes, look { queue in queue.stats().jobs })
    }

    /// What all tubes tell, a part at a time.
    private func allTubes<Told>(
        name: (Told) -> TubeName, _ tell: (borrowing Queue, Int) -> [Told]
    ) -> [Told] {
        var (left, removed) = look { queue in (queue.tubeCount, queue.removedTubes) }
        guard left > Broker.tubesAtOnce else { return look { queue in tell(queue, left) } }
        var told: [Told] = []
        var hasMoved = false
        while left > 0 {
            let end = left
            let (part, removedSince) = look { queue in (tell(queue, end), queue.removedTubes) }
            hasMoved = hasMoved || removedSince != removed
            removed = removedSince
            told += part
            left -= Broker.tubesAtOnce
        }
        guard hasMoved else { return told }
        // One that has moved meanwhile came twice.
        var seen: Set<TubeName> = []
        return told.filter { seen.insert(name($0)).inserted }
    }

    func snapshot(of tube: TubeName) -> TubeSnapshot? {
        let now = now()
        return look { queue in queue.snapshot(of: tube, now: now) }
    }

    func clients(limit: Int) -> ([ClientSnapshot], total: Int) {
        look { queue in (queue.clients(limit: limit), queue.clientCount) }
    }

    func holders(of jobs: [JobID]) -> [(JobID, ConnectionID)] {
        look { queue in jobs.compactMap { job in queue.holder(of: job).map { (job, $0) } } }
    }
}
