/// What the shell has to do after an event, apart from the output for clients.
///
/// It says what is there, not what is new: a thread that has not taken it yet is named again.
public struct Effects: Sendable {
    /// Threads of the store for which there is something.
    public struct Work: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The writers have something to take.
        public static let puts = Work(rawValue: 1 << 0)
        public static let changes = Work(rawValue: 1 << 1)
        public static let largePuts = Work(rawValue: 1 << 2)
        /// The query runner has something to take.
        public static let queries = Work(rawValue: 1 << 3)
        /// Puts wait for ids.
        public static let ids = Work(rawValue: 1 << 4)
        /// Other brokers have to be told something.
        public static let notices = Work(rawValue: 1 << 5)
    }

    public var work: Work = []
    /// The latest time at which `advance` has something to do.
    public var deadline: Instant
    /// The outboxes with output, as a bit set of their indexes; only the first 64.
    public var outboxes: UInt64 = 0
}

extension Queue {
    public func effects() -> Effects {
        var effects = Effects(deadline: nextDeadline)
        if hasWrites(.puts) { effects.work.insert(.puts) }
        if hasWrites(.changes) { effects.work.insert(.changes) }
        if hasWrites(.largePuts) { effects.work.insert(.largePuts) }
        if hasQueries { effects.work.insert(.queries) }
        if needsIDs { effects.work.insert(.ids) }
        if hasNotices { effects.work.insert(.notices) }
        effects.outboxes = connections.outboxes.filled
        return effects
    }
}
