/// The settings of a tube that has some (a row of `tube_policy`). `nil` leaves a setting off.
public struct TubePolicy: Hashable, Sendable {
    public var tube: TubeID
    /// A job is buried after this many timeouts.
    public var buryAfterTimeouts: UInt32?
    /// A job is buried after this many releases.
    public var buryAfterReleases: UInt32?
    /// With this many ready jobs, the tube accepts no more.
    public var maxReady: Int?
    /// Finished jobs are written to the history. The database decides for how long.
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
