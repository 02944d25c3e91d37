public import PostgresStore
public import QueueCore

/// What the admin listener may ask of the broker that it belongs to.
public protocol BrokerView: Sendable {
    /// The queue at this moment.
    func snapshot() -> QueueSnapshot
    /// The database that the broker has found; `nil` until then.
    var database: StoreSummary? { get }
}
