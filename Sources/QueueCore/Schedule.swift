/// What the broker does by itself from time to time.
struct Schedule {
    var nextTick = Instant(nanoseconds: 0)
    var nextPoll = Instant(nanoseconds: 0)
    var isPolling = false
    var nextSweep = Instant.never
    var isSweeping = false
    var nextLeaseEnd = Instant(nanoseconds: 0)
    var isEndingLeases = false
    /// Clients whose wait is over and that are answered after the next sweep.
    var waitersForNextSweep: [Tube.Waiter] = []
    /// Clients to answer after the sweep in flight.
    var waitersForSweepInFlight: [Tube.Waiter] = []
    /// In a debug build: the number of events until the invariants are checked again.
    var eventsUntilCheck = 0
}
