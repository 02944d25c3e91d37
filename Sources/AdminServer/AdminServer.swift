public import QueueCore

/// What the admin listener may ask of the broker that it belongs to.
public protocol BrokerView: Sendable {
    /// The queue at this moment.
    func snapshot() -> QueueSnapshot
}
