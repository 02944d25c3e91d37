import Synchronization

/// A wish from another thread that the runs end.
public final class StopFlag: Sendable {
    private let flag = Atomic(false)

    /// Not set.
    public init() {}

    /// For good; from any thread.
    public func set() {
        flag.store(true, ordering: .relaxed)
    }

    var isSet: Bool { flag.load(ordering: .relaxed) }
}
