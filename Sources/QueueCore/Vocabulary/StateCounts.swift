/// The state in a job's row. A reserved job keeps the state that it had before; its lease says that it is held.
public enum StoredState: Int16, Sendable {
    case ready = 0
    case delayed = 1
    case buried = 2
}

/// Numbers of jobs by stored state, or changes of such numbers.
public struct StateCounts: Hashable, Sendable {
    public var urgent = 0
    public var ready = 0
    public var delayed = 0
    public var buried = 0

    /// Ready jobs with a priority below this are urgent (beanstalkd's doc/protocol.txt, Other Commands).
    public static let urgentPriority: UInt32 = 1024

    public init(urgent: Int = 0, ready: Int = 0, delayed: Int = 0, buried: Int = 0) {
        self.urgent = urgent
        self.ready = ready
        self.delayed = delayed
        self.buried = buried
    }

    public var total: Int { ready + delayed + buried }

    public mutating func add(_ n: Int, _ state: StoredState, priority: UInt32) {
        switch state {
        case .ready:
            ready += n
            if priority < StateCounts.urgentPriority { urgent += n }
        case .delayed: delayed += n
        case .buried: buried += n
        }
    }

    public static func + (a: StateCounts, b: StateCounts) -> StateCounts {
        var sum = a
        sum += b
        return sum
    }

    public static func - (a: StateCounts, b: StateCounts) -> StateCounts {
        StateCounts(
            urgent: a.urgent - b.urgent, ready: a.ready - b.ready, delayed: a.delayed - b.delayed,
            buried: a.buried - b.buried)
    }

    public static func += (a: inout StateCounts, b: StateCounts) {
        a.urgent += b.urgent
        a.ready += b.ready
        a.delayed += b.delayed
        a.buried += b.buried
    }
}
