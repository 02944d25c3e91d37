public import AdminAPI
public import PostgresStore
public import QueueCore

/// What the admin listener may ask of the broker that it belongs to.
public protocol BrokerView: Sendable {
    /// The queue at this moment.
    func snapshot() -> QueueSnapshot
    /// The same with less of the tubes, in less time.
    func outline() -> QueueOutline
    /// The number of this life of the broker; 0 while it is not registered.
    var epoch: Int64 { get }
    /// A tube at this moment; `nil` if it does not exist.
    func snapshot(of tube: TubeName) -> TubeSnapshot?
    /// The store at this moment; `nil` while there is none.
    func storeSnapshot() -> StoreSnapshot?
    /// Up to `limit` clients, and how many there are.
    func clients(limit: Int) async -> (clients: [ClientEntry], total: Int)
    /// The addresses of the clients of this broker that have these jobs.
    func addresses(ofHoldersOf jobs: [JobID]) async -> [JobID: String]
    /// The database that the broker has found; `nil` until then.
    var database: StoreSummary? { get }
}
