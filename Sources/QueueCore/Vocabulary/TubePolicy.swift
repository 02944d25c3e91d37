/// What is different about a tube (a row of `tube_policy`). `nil` leaves a setting off.
public struct TubePolicy: Hashable, Sendable {
    public var tube: TubeID
    /// A job whose time to run is over for the so manyth time is buried.
    public var buryAfterTimeouts: UInt32?
    /// A job that is released for the so manyth time is buried.
    public var buryAfterReleases: UInt32?
    /// With so many ready jobs or more, the tube is full.
    public var maxReady: Int?
    /// Finished jobs are recorded; for how long is the database's business.
    public var keepsHistory: Bool

    public init(
        tube: TubeID, buryAfterTimeouts: UInt32? = nil, buryAfterReleases: UInt32? = nil, maxReady: Int? = nil,
        keepsHistory: Bool = false
    ) {
        self.tube = tube
        self.buryAfterTimeouts = buryAfterTimeouts
        self.buryAfterReleases = buryAfterReleases
        self.maxReady = maxReady
        self.keepsHistory = keepsHistory
    }
}
