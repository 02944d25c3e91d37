import HeapModule

@testable import QueueCore

/// Future actions in the order of their times. Actions of the same time happen in the order in which they were
/// planned.
struct Agenda {
    private struct Entry: Comparable {
        var at: Instant
        var number: Int
        var action: () -> Void

        static func < (a: Entry, b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.number < b.number }
        static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
    }

    private var entries = Heap<Entry>()
    /// How many actions have been planned.
    private(set) var count = 0

    mutating func plan(at time: Instant, _ action: @escaping () -> Void) {
        count += 1
        entries.insert(Entry(at: time, number: count, action: action))
    }

    /// The next action, if its time is no later than `limit`.
    mutating func next(until limit: Instant) -> (at: Instant, action: () -> Void)? {
        guard let first = entries.min, first.at <= limit else { return nil }
        entries.removeMin()
        return (first.at, first.action)
    }
}
