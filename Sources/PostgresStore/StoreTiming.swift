public import QueueCore

/// The times that decide when a broker may give out jobs and when others may declare it dead. They depend on each other
/// as `rules` says (docs/ARCHITECTURE.md, Leases and epochs).
public enum StoreTiming {
    // MARK: A broker's own heartbeat

    static let heartbeatInterval = Span.milliseconds(1000)
    /// A heartbeat that met somebody's lock is tried again after this.
    static let heartbeatRetry = Span.milliseconds(50)
    /// How long a registration or heartbeat allows the broker to give out jobs, from when it was sent.
    public static let epochValidity = Span.milliseconds(2500)
    /// A keeper and a query wait for a lock no longer than this.
    static let lockTimeout = Span.milliseconds(200)

    // MARK: The death of others

    /// A broker whose heartbeat counter has not moved for this long is dead.
    static let deathAfter = Span.milliseconds(3500)
    /// The transaction that declares brokers dead waits this long for their batches in flight.
    static let declareDeadLockTimeout = Span.milliseconds(500)
    /// A transaction that keeps a broker from being declared dead is ended after this.
    static let blockerLimit = Span.milliseconds(900)
    /// PostgreSQL ends a keeper's session that is idle in a transaction for this long.
    static let keeperIdleLimit = Span.milliseconds(1000)
    /// The view `brokers` shows a broker as not alive, and `warnings` names it, after this.
    /// The number is in the SQL of the views too (0011_views, 0012_warnings).
    static let shownDeadAfter = Span.milliseconds(5000)

    // MARK: After a hang

    /// If a broker's own heartbeats are this far apart, something held it up, and may have held up the others too.
    static let lateHeartbeat = Span.milliseconds(2000)
    /// After a late heartbeat of its own a broker declares nobody dead for this long.
    static let graceAfterHang = Span.milliseconds(1500)
    /// A grace begins this long after the last one at the earliest.
    static let graceInterval = Span.milliseconds(10_000)

    // MARK: What must hold

    static let rules: [(holds: Bool, why: String)] = [
        (
            heartbeatInterval + 2 * (lockTimeout + heartbeatRetry) < epochValidity,
            "a heartbeat that meets a lock twice still renews the epoch in time"
        ),
        (
            heartbeatInterval + declareDeadLockTimeout + lockTimeout < epochValidity,
            "a broker that declares others dead renews its own epoch in time"
        ),
        (epochValidity < deathAfter, "a broker stops giving out jobs before others may declare it dead"),
        (deathAfter + heartbeatInterval < shownDeadAfter, "brokers declare a broker dead before people worry about it"),
        (
            blockerLimit < heartbeatInterval,
            "a transaction in the way is ended at the second attempt to declare its broker dead"
        ),
        (keeperIdleLimit < epochValidity, "a keeper that stops inside a transaction keeps no other from its heartbeat"),
        (
            heartbeatInterval + declareDeadLockTimeout + lockTimeout < lateHeartbeat,
            "declaring others dead does not make a heartbeat late"
        ),
        (
            lateHeartbeat + heartbeatInterval < deathAfter,
            "a hang that makes the others look dead makes the next heartbeat late"
        ),
        (
            heartbeatInterval + heartbeatRetry + lockTimeout < graceAfterHang,
            "a living broker's heartbeat comes within the grace"
        ),
        (graceAfterHang + deathAfter < graceInterval, "a broker that is always late still declares others dead"),
    ]

    /// Traps if the times do not fit together.
    static func check() {
        for rule in rules { precondition(rule.holds, "StoreTiming: not true that \(rule.why)") }
    }
}

extension Span {
    /// As PostgreSQL's settings take a time.
    var setting: String { "\(nanoseconds / 1_000_000)ms" }

    fileprivate static func + (a: Span, b: Span) -> Span { Span(nanoseconds: a.nanoseconds + b.nanoseconds) }
    fileprivate static func * (a: Int64, b: Span) -> Span { Span(nanoseconds: a * b.nanoseconds) }
}
