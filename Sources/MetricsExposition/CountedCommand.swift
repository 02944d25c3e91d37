import QueueCore

/// A command and its counter, by the name that it has in `stats`, with `_` for `-`.
struct CountedCommand: Sendable {
    let name: String
    let count: @Sendable (CommandCounters) -> UInt64

    private init(_ name: String, _ count: @escaping @Sendable (CommandCounters) -> UInt64) {
        self.name = name
        self.count = count
    }

    /// How it is written in the protocol.
    var command: String { String(name.map { $0 == "_" ? "-" : $0 }) }

    static let all: [CountedCommand] = [
        CountedCommand("put", \.put), CountedCommand("peek", \.peek), CountedCommand("peek_ready", \.peekReady),
        CountedCommand("peek_delayed", \.peekDelayed), CountedCommand("peek_buried", \.peekBuried),
        CountedCommand("reserve", \.reserve), CountedCommand("reserve_with_timeout", \.reserveWithTimeout),
        CountedCommand("delete", \.delete), CountedCommand("release", \.release), CountedCommand("use", \.use),
        CountedCommand("watch", \.watch), CountedCommand("ignore", \.ignore), CountedCommand("bury", \.bury),
        CountedCommand("kick", \.kick), CountedCommand("touch", \.touch), CountedCommand("stats", \.stats),
        CountedCommand("stats_job", \.statsJob), CountedCommand("stats_tube", \.statsTube),
        CountedCommand("list_tubes", \.listTubes), CountedCommand("list_tube_used", \.listTubeUsed),
        CountedCommand("list_tubes_watched", \.listTubesWatched), CountedCommand("pause_tube", \.pauseTube),
    ]
}
