import AdminAPI
import Foundation

/// The screen of jobs that match a filter.
extension Top {
    func jobsBody(_ screen: JobsScreen) -> [Line] {
        var title = section("Jobs", screen.filter.sentence)
        if screen.pages.count > 1 { title.add("  page \(screen.pages.count)", .dim) }
        if screen.isAllMarked {
            title.add("  all that match are marked", .bold)
        } else if !screen.marked.isEmpty {
            title.add("  \(Figures.grouped(screen.marked.count)) marked", .bold)
        }
        if let tube = screen.tube {
            if let waited = tube.waited { title.add("  waited \(percentiles(waited))", .dim) }
            if let worked = tube.worked { title.add("  worked \(percentiles(worked))", .dim) }
        }
        guard let page = screen.page else { return [title] }
        guard !page.jobs.isEmpty else {
            let text =
                page.next != nil
                ? "None up to id \(page.searchedTo.map { "\($0)" } ?? "-"); ↓ searches on."
                : screen.filter.body != nil || screen.filter.state != nil
                    ? "No job matches. s shows another state, / searches for another text." : "There is no job."
            return [title] + nothing(text)
        }
        let (first, jobs) = shown(page.jobs, screen.cursor)
        var table = Table(Self.jobColumns, flexible: 10)
        for job in jobs { table.add(row(job, isMarked: screen.isAllMarked || screen.marked.contains(job.id))) }
        return [title] + tableBody(table, cursor: screen.cursor, first: first)
    }

    func percentiles(_ of: Percentiles) -> String {
        "p50 \(Figures.duration(of.p50)) p95 \(Figures.duration(of.p95)) p99 \(Figures.duration(of.p99))"
    }

    private static let jobColumns: [Table.Column] = [
        .init("", least: 1), .init("id", isRight: true, least: 5), .init("state", least: 8),
        .init("pri", isRight: true, least: 4), .init("age", isRight: true, least: 6),
        .init("left", isRight: true, least: 6, rank: 2), .init("res", isRight: true, rank: 3),
        .init("tmo", isRight: true, rank: 5), .init("rel", isRight: true, rank: 6),
        .init("size", isRight: true, rank: 4), .init("body", least: 8),
    ]

    private func row(_ job: JobSummary, isMarked: Bool) -> [Line] {
        let state = JobState(rawValue: job.state)
        return [
            Line(isMarked ? "*" : " ", .bold), Line("\(job.id)"),
            Line(shape(state) + Cells.clean(job.state), state.map { .state($0) } ?? .plain),
            Line("\(job.priority)"), Line(age(job.createdAt)), Line(left(job)), Line("\(job.reserves)"),
            Line("\(job.timeouts)"), Line("\(job.releases)"), Line(Figures.bytes(job.bodyBytes)),
            Line(job.preview.map { Cells.clean($0) } ?? "(not text)", job.preview == nil ? .dim : .plain),
        ]
    }

    func shape(_ state: JobState?) -> String { state.map { options.charset.shape($0) } ?? "" }

    /// The time until a reserved job's lease ends, or until a delayed one is ready.
    func left(_ job: JobSummary) -> String {
        guard let overview else { return "-" }
        switch job.state {
        case "reserved": return job.reservedUntil.map { Figures.age($0.timeIntervalSince(overview.at)) } ?? "-"
        case "delayed": return Figures.age(job.readyAt.timeIntervalSince(overview.at))
        default: return "-"
        }
    }
}
