/// The broker as a state machine: commands, outcomes and the time go in; replies, batches and queries come out.
///
/// It does no I/O, reads no clock and has no threads. The shell calls it under one lock, with times that never
/// decrease. All of beanstalkd's semantics of queues are decided here.
///
/// It cannot be copied: a copy would retain every part.
public struct Queue: ~Copyable {
    public struct Configuration: Sendable {
        /// Bytes of jobs that are kept in memory ahead of reserves.
        public var cacheBytes = 64 << 20
        /// Bytes of puts that may wait for a commit; beyond that a put gets `OUT_OF_MEMORY`. The same limit applies
        /// to large bodies, separately. A put that is larger is accepted when it is alone.
        public var maxPendingBytes = 256 << 20
        /// Bytes that a body may have; a larger one gets `OUT_OF_MEMORY`. PostgreSQL's messages and values end at 1
        /// GiB, some of which PostgreSQL itself needs.
        public var maxBodyBytes = (1 << 30) - (64 << 10)
        /// How long a write waits for the database before it gets `INTERNAL_ERROR`.
        public var databaseTimeout = Span.seconds(10)
        /// Bytes of bodies in one batch, if the batch has more than one put.
        public var maxBatchBytes = 16 << 20
        /// A body of more bytes is a large one. It has a lane of its own, and other puts do not wait for it.
        public var largeBodyBytes = 1 << 20
        /// Tubes that may exist at a time. A client that mentions one more gets `OUT_OF_MEMORY`.
        public var maxTubes = 1_000_000
        /// Jobs that clients may hold, some 400 bytes each. A client that asks for one more gets `OUT_OF_MEMORY`.
        public var maxHeldJobs = 4 << 20

        public init() {}
    }

    let configuration: Configuration

    var connections: Connections
    var tubes = Tubes()
    var jobs = Jobs()
    var puts = Puts()
    /// Writes, until their outcomes are known.
    var lanes = WriteLanes()
    var queries = Queries()
    var membership = Membership()
    var sql = SQLSessions()
    var schedule = Schedule()
    var activity = Activity()
    /// What the step under way has touched.
    var marks = Marks()

    /// What the shell has to do to connections, in order.
    public enum Output: Sendable {
        case reply(ConnectionID, Reply)
        /// The connection may be given commands again.
        case resume(ConnectionID)
        /// The connection is to be closed behind the replies before this.
        case close(ConnectionID)
    }

    public init(configuration: Configuration = Configuration(), outboxes: Int = 1) {
        self.configuration = configuration
        connections = Connections(outboxes: outboxes)
        tubes.defaultTube = tube(named: .default)
        pin(tubes.defaultTube)
        conclude(now: Instant(nanoseconds: 0))
    }

    /// Takes the output for the connections of one event loop, and appends it to `taken`. Using the same array again
    /// and again allocates no memory.
    public mutating func takeOutput(_ outbox: Int, into taken: inout [Output]) {
        connections.outboxes.take(outbox, into: &taken)
    }

    /// Bytes of the replies in an outbox, about. A client that asks without reading must not fill the memory with
    /// them.
    public func replyBytes(_ outbox: Int) -> Int { connections.outboxes.replyBytes(outbox) }

    /// Refuses puts from now on (SIGUSR1). There is no way back.
    public mutating func drain() { puts.isDraining = true }
}
