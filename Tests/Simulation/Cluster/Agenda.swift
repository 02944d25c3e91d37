import HeapModule

@testable import QueueCore

/// What is going to happen, in the order of its time; what is planned for the same moment happens as it was planned.
struct Agenda {
    private struct Entry: Comparable {
        var at: Instant
        var number: Int
        var action: () -> Void

        static func < (a: Entry, b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.number < b.number }
        static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
    }

    private var entries = Heap<Entry>()
    /// How many have been planned.
    private(set) var count = 0

    mutating func plan(at time: Instant, _ action: @escaping () -> Void) {
        count += 1
        entries.insert(Entry(at: time, number: count, action: action))
    }

    /// The next one, if its time comes before this.
    mutating func next(until limit: Instant) -> (at: Instant, action: () -> Void)? {
        guard let first = entries.min, first.at <= limit else { return nil }
        entries.removeMin()
        return (first.at, first.action)
    }
}
