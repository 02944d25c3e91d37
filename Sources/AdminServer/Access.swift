

/// Who may look, and who may act.
public struct Access: Sendable {
    /// Viewers may act, and not only look.
    public var allowsActions = true

    public init() {}
}

/// Who asks.
struct Viewer: Sendable, Hashable {
    /// The name that the viewer was recognized by.
    var name: String?
    /// For the audit: the name, or the address.
    var label: String
    var mayAct: Bool
}
