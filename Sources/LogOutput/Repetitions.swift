import Logging

/// Lets the first of equal records through and counts the others for a while.
///
/// Records are equal if they have the same level and message. Some with different metadata are let through, since the
/// metadata may name what the message is about; in a flood of them the rest is counted too.
struct Repetitions {
    /// How long equal records are counted, from the first one on.
    static let span: Duration = .seconds(10)
    /// How many records of a message that differ in their metadata are let through in a span.
    static let variants = 5
    /// How many different messages are remembered at once. Beyond this all records are let through.
    static let messages = 200

    /// What was counted of one message.
    struct Summary {
        /// The first record that was not let through.
        var record: LogRecord
        var count: Int
        var seconds: Int64
    }

    private struct Key: Hashable {
        let level: Logger.Level
        let message: String
    }

    private struct Entry {
        let start: Duration
        var metadata: Set<String>
        var first: LogRecord?
        var count = 0
    }

    private var entries: [Key: Entry] = [:]

    /// - Parameters:
    ///   - record: What is logged.
    ///   - now: A time that only increases.
    /// - Returns: Whether the record is to be written; and whether it is the first one counted, so that somebody must
    ///   call `due` once the span is over.
    mutating func admit(_ record: LogRecord, now: Duration) -> (isWritten: Bool, isFirstCounted: Bool) {
        let key = Key(level: record.level, message: record.message)
        let metadata = record.metadataText
        guard var entry = entries[key] else {
            if entries.count < Self.messages { entries[key] = Entry(start: now, metadata: [metadata]) }
            return (true, false)
        }
        guard entry.metadata.contains(metadata) || entry.metadata.count >= Self.variants else {
            entries[key]!.metadata.insert(metadata)
            return (true, false)
        }
        entry.count += 1
        let isFirst = entry.first == nil
        if isFirst { entry.first = record }
        entries[key] = entry
        return (false, isFirst)
    }

    /// Ends the spans that are over, or all of them. To be called before each `admit`.
    /// - Returns: What was counted in them, in the order of their beginnings.
    mutating func due(now: Duration, all: Bool = false) -> [Summary] {
        let over = entries.filter { all || now - $0.value.start >= Self.span }
        for key in over.keys { entries[key] = nil }
        return over.values.sorted { $0.start < $1.start }.compactMap { entry in
            entry.first.map {
                let seconds = (min(now - entry.start, Self.span)).components.seconds
                return Summary(record: $0, count: entry.count, seconds: max(seconds, 1))
            }
        }
    }

    /// How long to wait until `due` has something to end.
    func wait(now: Duration) -> Duration? {
        entries.values.filter { $0.count > 0 }.map { max(.zero, Self.span - (now - $0.start)) }.min()
    }
}
