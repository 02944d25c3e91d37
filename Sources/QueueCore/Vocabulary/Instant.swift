/// A point in time on the broker's own monotonic clock, in nanoseconds. It is never compared with times of other
/// processes (docs/ARCHITECTURE.md, Clocks).
public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than every other time.
    public static let never = Instant(nanoseconds: .max)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// Saturates: a TTR or delay of 136 years stays in the future.
    public static func + (a: Instant, b: Span) -> Instant {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflow ? .never : Instant(nanoseconds: sum)
    }
    public static func - (a: Instant, b: Span) -> Instant { Instant(nanoseconds: a.nanoseconds - b.nanoseconds) }
    public static func - (a: Instant, b: Instant) -> Span { Span(nanoseconds: a.nanoseconds - b.nanoseconds) }
}

/// A length of time in nanoseconds. It takes one machine word, where the standard library's `Duration` takes two.
public struct Span: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static func seconds(_ n: some BinaryInteger) -> Span { Span(nanoseconds: Int64(n) * 1_000_000_000) }
    public static func milliseconds(_ n: Int) -> Span { Span(nanoseconds: Int64(n) * 1_000_000) }
    public static func microseconds(_ n: Int64) -> Span {
        let (product, overflow) = n.multipliedReportingOverflow(by: 1000)
        return Span(nanoseconds: overflow ? (n < 0 ? .min / 2 : .max / 2) : product)
    }

    public var microseconds: Int64 { nanoseconds / 1000 }
    /// Whole seconds of a time that has begun to run out: a TTR of 10 seconds leaves 9 as soon as it runs.
    public var wholeSecondsLeft: Int64 { max(0, (nanoseconds - 1) / 1_000_000_000) }
    /// Whole seconds, rounded down; never negative.
    public var wholeSeconds: Int64 { max(0, nanoseconds / 1_000_000_000) }

    public static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }
}
