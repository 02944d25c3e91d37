import NIOCore
public import PostgresStore
public import QueueCore

/// What the broker tells of itself.
extension Server {
    /// The queue at this moment. Its lock is held for up to 5,000 tubes at a time.
    public func snapshot() -> QueueSnapshot { broker.snapshot() }

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
        var (snapshot, left) = look { queue in (queue.summary(now: now), queue.tubeCount) }
        var seen: Set<TubeName> = []
        let isWhole = left <= Broker.tubesAtOnce
        snapshot.tubes.reserveCapacity(left)
        while left > 0 {
            let end = left
            let tubes = look { queue in
                queue.snapshot(ofTubesBefore: end, limit: Broker.tubesAtOnce, now: now)
            }
            // One that has moved meanwhile comes twice.
            snapshot.tubes += isWhole ? tubes : tubes.filter { seen.insert($0.name).inserted }
            left = end - Broker.tubesAtOnce
        }
        return snapshot
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
