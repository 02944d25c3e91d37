import Foundation
import MetricsExposition
import Testing

/// The names that boards and alerts of others rely on.
@Suite("Metrics: names") struct NamesTests {
    private static let commands = [
        "put", "peek", "peek_ready", "peek_delayed", "peek_buried", "reserve", "reserve_with_timeout", "delete",
        "release", "use", "watch", "ignore", "bury", "kick", "touch", "stats", "stats_job", "stats_tube", "list_tubes",
        "list_tube_used", "list_tubes_watched", "pause_tube",
    ]
    private static let states = ["urgent", "ready", "reserved", "delayed", "buried"]
    private static let connections = ["connections", "producers", "workers", "waiting"]

    static let davidtannock: Set<String> = {
        var names = ["up", "current_tubes_count", "job_timeouts_count", "total_connections_count", "total_jobs_count"]
        names += commands.map { "cmd_\($0)_total" }
        names += connections.map { "current_\($0)_count" }
        names += states.map { "current_jobs_\($0)_count" } + states.map { "tube_current_jobs_\($0)_count" }
        names += ["using", "watching", "waiting"].map { "tube_current_\($0)_count" }
        names += [
            "tube_cmd_delete_total", "tube_cmd_pause_tube_total", "tube_pause_seconds_total",
            "tube_pause_time_left_seconds_total", "tube_total_jobs_count",
        ]
        return Set(names.map { "beanstalkd_\($0)" })
    }()

    /// The keys of `stats` but hostname, id and pid, and those of `stats-tube` but name.
    static let messagebird: Set<String> = {
        var names = [
            "job_timeouts", "total_jobs", "max_job_size", "current_tubes", "total_connections", "version",
            "rusage_utime", "rusage_stime", "uptime", "binlog_oldest_index", "binlog_current_index",
            "binlog_records_migrated", "binlog_records_written", "binlog_max_size", "draining", "os", "platform",
        ]
        names += commands.map { "cmd_\($0)" }
        names += connections.map { "current_\($0)" }
        names += states.map { "current_jobs_\($0)" } + states.map { "tube_current_jobs_\($0)" }
        names += [
            "tube_total_jobs", "tube_current_using", "tube_current_watching", "tube_current_waiting",
            "tube_cmd_delete", "tube_cmd_pause_tube", "tube_pause", "tube_pause_time_left",
        ]
        return Set(names)
    }()

    private func others(_ names: Metrics.Names) -> Set<String> {
        Set(
            Metrics.families(names: names).map(\.name)
                .filter { !$0.hasPrefix("beanrow_") && !$0.hasPrefix("process_") })
    }

    @Test func ofDavidtannock() {
        #expect(NamesTests.davidtannock.count == 49)
        #expect(others(.davidtannock) == NamesTests.davidtannock)
    }

    @Test func ofMessagebird() {
        #expect(NamesTests.messagebird.count == 61)
        #expect(others(.messagebird) == NamesTests.messagebird)
    }

    @Test func noNameTwice() {
        for names in [Metrics.Names.davidtannock, .messagebird] {
            let all = Metrics.families(names: names).map(\.name)
            #expect(Set(all).count == all.count)
        }
    }

    /// Base units, and `_total` at the end of counters alone.
    @Test func ownNames() {
        for family in Metrics.families(names: .davidtannock) where family.name.hasPrefix("beanrow_") {
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(family.kind != .untyped, "\(family.name)")
            #expect(!family.help.contains("\n") && family.help.hasSuffix("."), "\(family.name)")
        }
    }
}

/// docs/metrics.md has the families of the program, and no others.
@Suite("Metrics: the page") struct PageTests {
    @Test func rowsAreFamilies() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/metrics.md"), encoding: .utf8)
        var rows: [String: String] = [:]
        for line in page.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let name = cells[0].trimmingCharacters(in: ["`"])
            #expect(rows[name] == nil, "\(name) stands twice")
            #expect(line.split(separator: "|", omittingEmptySubsequences: false).count == 7, "\(name)")
            #expect(cells.last!.hasSuffix("."), "\(name)")
            rows[name] = line.split(separator: "|", omittingEmptySubsequences: false)[2...4]
                .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "|")
        }
        let families = Metrics.families(names: .davidtannock) + Metrics.families(names: .messagebird)
        for family in families {
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            #expect(
                rows[family.name] == "\(family.kind.rawValue)|\(labels)|\(family.teller.rawValue)", "\(family.name)")
        }
        #expect(Set(rows.keys).subtracting(families.map(\.name)).isEmpty)
    }
}
