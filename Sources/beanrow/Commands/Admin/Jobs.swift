import AdminAPI
import AdminClient
import ArgumentParser
import Foundation
import Terminal

struct Jobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List jobs that match a filter, by id.",
        discussion: "Without an option: all jobs, the oldest id first.")

    @OptionGroup(title: "Filter") var filter: JobFilterOptions

    @Option(help: ArgumentHelp("At most so many jobs.", valueName: "count"))
    var limit = 100

    @Option(help: ArgumentHelp("Go on behind an earlier answer: its `next`.", valueName: "next"))
    var after: String?

    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    /// Jobs that are asked for at once.
    private static let pageLimit = 500

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes 1 or more.") }
    }

    func run() async throws {
        try await reporting("jobs") {
            let (client, filter) = (try listener.client(), try filter.filter)
            var all = JobPage(jobs: [], next: after, searchedTo: nil)
            // A search through many jobs comes in several answers, some of them empty.
            repeat {
                let count = min(limit - all.jobs.count, Self.pageLimit)
                let page = try await client.jobs(filter, limit: count, after: all.next)
                all = JobPage(jobs: all.jobs + page.jobs, next: page.next, searchedTo: page.searchedTo)
            } while all.next != nil && all.jobs.count < limit
            let page = all
            try printer.show(page) { JobTable.lines(page.jobs) }
            if printer.isTable, let next = page.next { Printer.note("There are more jobs: --after \(next)") }
        }
    }
}

/// Jobs for people.
enum JobTable {
    static func lines(_ jobs: [JobSummary]) -> [Line] {
        var table = Table(
            [
                .init("id", isRight: true), .init("tube", most: 40, cutsMiddle: true), .init("state"),
                .init("pri", isRight: true),
                .init("age", isRight: true), .init("reserves", isRight: true, rank: 2),
                .init("size", isRight: true, rank: 1), .init("body", least: 10, most: 60),
            ], flexible: 7)
        for job in jobs { table.add(row(job)) }
        return Printer.lines(table)
    }

    private static func row(_ job: JobSummary) -> [String] {
        [
            "\(job.id)", Cells.clean(job.tube), Cells.clean(job.state), "\(job.priority)",
            Figures.age(Date().timeIntervalSince(job.createdAt)), "\(job.reserves)", "\(job.bodyBytes)",
            job.preview.map { Cells.clean($0) } ?? "(not text)",
        ]
    }
}
