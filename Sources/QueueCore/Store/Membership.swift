/// This broker among others: its epoch, who else there is, and whether it is the sole one.
struct Membership {
    /// 0 while the store is not attached.
    var epoch: Int64 = 0
    /// The store has been attached before.
    var hasStarted = false
    /// No job is given out from memory from this time on unless the epoch is renewed
    /// (docs/ARCHITECTURE.md, Leases and epochs).
    var validUntil = Instant(nanoseconds: 0)
    /// Other living brokers.
    var peers = 0
    var sharing = Sharing.shared
    /// True while outcomes of a dead epoch are being finished. The counts that were read with the new epoch include
    /// them.
    var isStale = false
    /// Connections whose commands wait for the epoch to be renewed.
    var commandsAwaitingRenewal: [ConnectionID] = []
    /// For the other brokers.
    var notices = Notices()
}

extension Queue {
    /// 0 while the store is not attached.
    public var epoch: Int64 { membership.epoch }
    var peers: Int { membership.peers }
    var sharing: Sharing { membership.sharing }
    var epochValidUntil: Instant { membership.validUntil }
}
