import QueueCore

/// When it is this broker's to say that others, which have not been heard of, are dead: not while what has kept them
/// from being heard of may have been everybody's.
struct Judge {
    private var judgesFrom = Instant(nanoseconds: 0)

    /// As long as a living broker may be silent.
    private static let silence = Span.milliseconds(3500)
    /// A heartbeat that comes so long after the last one is late.
    private static let late = Span.milliseconds(2000)
    /// A living broker is heard of within a beat of the end of a hang.
    private static let beat = Span.milliseconds(1500)
    /// Who is late always still judges now and then.
    private static let oftenest = Span.seconds(10)

    /// This broker has lost the database and is back: others were cut off as well.
    mutating func wasCutOff(at now: Instant) { judgesFrom = now + Judge.silence }

    /// A heartbeat has committed; `last`: when the one before was asked for. A machine, or a database, that hung has
    /// kept the others from being heard of too.
    mutating func wasHeard(at now: Instant, last: Instant) {
        guard now - last > Judge.late, now > judgesFrom + Judge.oftenest else { return }
        judgesFrom = now + Judge.beat
    }

    func mayJudge(at now: Instant) -> Bool { now >= judgesFrom }
}
