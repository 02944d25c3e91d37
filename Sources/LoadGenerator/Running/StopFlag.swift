import Synchronization

/// Ends the runs from another thread.
public final class StopFlag: Sendable {
    private let flag = Atomic(false)

    /// A flag that is not set.
    public init() {}

    /// Sets the flag for good. From any thread.
    public func set() {
        flag.store(true, ordering: .relaxed)
    }

    var isSet: Bool { flag.load(ordering: .relaxed) }
}
