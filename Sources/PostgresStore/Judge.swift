import QueueCore

/// When it is this broker's to say that others are dead: it watches whether their heartbeats, which are counted, go on,
/// by its own clock and no other. And not while what has kept them from being heard of may have been everybody's.
struct Judge {
    /// The last heartbeat of another broker, and since when it is known.
    private struct Pulse {
        let beats: Int64
        let since: Instant
    }

    private var pulses: [Int64: Pulse] = [:]
    private var judgesFrom = Instant(nanoseconds: 0)

    /// As long as a living broker may be silent.
    static let silence = Span.milliseconds(3500)
    /// A heartbeat that comes so long after the last one is late.
    private static let late = Span.milliseconds(2000)
    /// A living broker is heard of within a beat of the end of a hang.
    private static let beat = Span.milliseconds(1500)
    /// Who is late always still judges now and then.
    private static let oftenest = Span.seconds(10)

    /// This broker has lost the database and is back: others were cut off as well, and get their time to be heard of.
    mutating func wasCutOff() { pulses = [:] }

    /// A heartbeat has committed; `last`: when the one before was asked for. A machine, or a database, that hung has
    /// kept the others from being heard of too.
    mutating func wasHeard(at now: Instant, last: Instant) {
        guard now - last > Judge.late, now > judgesFrom + Judge.oftenest else { return }
        judgesFrom = now + Judge.beat
    }

    /// The heartbeats of all others have been read: asked for at `asked`, and known now.
    /// - Returns: those that are dead. None of theirs has been counted between the answer that told of their last one
    ///   and this question.
    mutating func silent(among beats: [Int64: Int64], asked: Instant, now: Instant) -> [Int64] {
        let last = pulses
        pulses = [:]
        var silent: [Int64] = []
        for (epoch, beats) in beats {
            if let pulse = last[epoch], pulse.beats == beats {
                pulses[epoch] = pulse
                if asked >= verdict(on: pulse) { silent.append(epoch) }
            } else {
                pulses[epoch] = Pulse(beats: beats, since: now)
            }
        }
        return silent.sorted()
    }

    private func verdict(on pulse: Pulse) -> Instant { max(pulse.since + Judge.silence, judgesFrom) }

    /// The next time at which one of them is dead, unless it is heard of before.
    func nextVerdict(after now: Instant) -> Instant? {
        pulses.values.lazy.map { verdict(on: $0) }.filter { $0 > now }.min()
    }
}
