/// What the client of a put chooses for its job.
public struct NewJob: Hashable, Sendable {
    public var priority: UInt32
    /// Seconds.
    public var delay: UInt32
    /// Seconds. A client may send 0; the queue raises that to 1.
    public var ttr: UInt32
    public var body: Body

    public init(priority: UInt32, delay: UInt32, ttr: UInt32, body: Body) {
        self.priority = priority
        self.delay = delay
        self.ttr = ttr
        self.body = body
    }

    /// The stored state in which the job begins.
    public var state: StoredState { delay > 0 ? .delayed : .ready }
}
