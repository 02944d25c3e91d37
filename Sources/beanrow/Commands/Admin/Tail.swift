import AdminAPI
import AdminClient
import ArgumentParser
import Foundation
import LogKeys
import Terminal

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a tube: print each job that comes, or that ends, until it is stopped.",
        discussion: """
            It looks once a second. A job that comes and goes in between is not seen as new. Ended jobs are those of the \
            tube's history (`set_policy`).
            """)

    @Argument(help: "The tube.") var tube: String

    @Flag(help: "Jobs that end, instead of new ones.") var ended = false

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    func run() async throws {
        try await reporting("tail") {
            let client = try listener.client()
            let start = try await client.overview().at
            if ended { try await followEnded(client, from: start) } else { try await followNew(client, from: start) }
        }
    }

    /// Brokers draw ids in blocks, so that a job may come with a smaller id than one that was seen. So far back is looked.
    private static let overlap: Int64 = 20_000

    private func followNew(_ client: AdminClient, from start: Date) async throws {
        var seen: Set<Int64> = []
        var largest: Int64 = 0
        while true {
            var filter = JobFilter(tube: tube, createdAfter: start)
            if largest > Self.overlap { filter.idFrom = largest - Self.overlap }
            var next: String?
            repeat {
                let page = try await client.jobs(filter, limit: 500, after: next)
                for job in page.jobs where seen.insert(job.id).inserted { try show(job) }
                largest = max(largest, page.jobs.last?.id ?? 0, page.searchedTo ?? 0)
                next = page.next
            } while next != nil
            let floor = largest - Self.overlap
            if seen.count > 2 * Int(Self.overlap) { seen = seen.filter { $0 >= floor } }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func followEnded(_ client: AdminClient, from start: Date) async throws {
        var seen: [Int64: Date] = [:]
        var from = start
        while true {
            var found: [HistoryEntry] = []
            var next: String?
            repeat {
                let page = try await client.history(tube: tube, finishedAfter: from, limit: 500, after: next)
                found += page.jobs
                next = page.next
            } while next != nil
            for job in found.reversed() where seen.updateValue(job.finishedAt, forKey: job.id) == nil { try show(job) }
            // What was committed late has a time a little before.
            from = max(start, (found.first?.finishedAt ?? from).addingTimeInterval(-5))
            if seen.count > 20_000 { seen = seen.filter { $0.value >= from } }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func show(_ job: JobSummary) throws {
        try printer.show(job) {
            let body = job.preview.map { Cells.clean($0) } ?? "(not text)"
            let line = "\(job.createdAt.formatted(.iso8601))  \(job.id)  \(job.state)  pri \(job.priority)  \(body)"
            return [Line(Cells.truncate(line, Printer.width ?? 1000))]
        }
    }

    private func show(_ job: HistoryEntry) throws {
        try printer.show(job) {
            var line = "\(job.finishedAt.formatted(.iso8601))  \(job.id)  \(Cells.clean(job.outcome))"
            if let waited = job.waitedSeconds { line += "  waited \(Figures.age(waited))" }
            if let worked = job.workedSeconds { line += "  worked \(Figures.age(worked))" }
            return [Line(line + "  reserves \(job.reserves)")]
        }
    }
}
