import QueueCore

/// A row of samples: what was done in a tube since the last one, and its jobs if their numbers have changed.
struct Sample {
    /// The name of the tube; empty for the whole queue.
    let tube: String
    var activity: TubeActivity?
    var level: Level?

    /// The jobs of a tube at one moment.
    struct Level: Equatable {
        var jobs: JobCounts
        /// When the job became ready that has been ready for the longest time: microseconds since 1970 by the database's
        /// clock. `nil` if none is ready, or if it is not known.
        var oldest: Int64?
    }
}

extension Collection<Sample> {
    /// The whole queue comes last: a step that has its row is complete.
    var inOrder: [Sample] {
        sorted { $0.tube.isEmpty == $1.tube.isEmpty ? $0.tube < $1.tube : $1.tube.isEmpty }
    }
}

extension [Sample] {
    /// The parameters of `writeSamples` and `writeSums`.
    func parameters(step: Int64) -> Parameters {
        var parameters = Parameters()
        parameters.add(step)
        parameters.add(texts: map(\.tube))
        func add(_ value: (TubeActivity) -> UInt64) {
            parameters.add(int8s: map { $0.activity.map { Int64(clamping: value($0)) } ?? 0 })
        }
        add(\.puts)
        add(\.reserves)
        add(\.deletes)
        add(\.releases)
        add(\.buries)
        add(\.kicks)
        add(\.timeouts)
        add(\.bodyBytes)
        func add(_ value: (JobCounts) -> Int) {
            parameters.add(int8s: map { $0.level.map { Int64(value($0.jobs)) } ?? -1 })
        }
        add(\.urgent)
        add(\.ready)
        add(\.reserved)
        add(\.delayed)
        add(\.buried)
        parameters.add(int8s: map { $0.level?.oldest ?? -1 })
        parameters.add(texts: map { $0.activity?.waited.literal ?? "" })
        parameters.add(texts: map { $0.activity?.worked.literal ?? "" })
        return parameters
    }
}

extension DurationHistogram {
    /// As an array of PostgreSQL, without the zeros at the end; empty if nothing was counted.
    fileprivate var literal: String {
        guard let last = counts.lastIndex(where: { $0 > 0 }) else { return "" }
        return "{" + counts[...last].map { String(Int32(clamping: $0)) }.joined(separator: ",") + "}"
    }
}
