import AdminAPI
import AdminClient
import ArgumentParser
import Foundation
import LogKeys
import Terminal

/// What `kick`, `delete`, `bury` and `move` share: ids or a filter, a count, y/N, and progress.
struct Bulk: ParsableArguments {
    @Argument(help: "The ids of jobs, or instead of them a filter.")
    var ids: [Int64] = []

    @OptionGroup(title: "Filter") var filter: JobFilterOptions
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var printer: Printer
    @OptionGroup var listener: ListenerOptions

    /// Ids of one request.
    private static let portion = 1000

    func validate() throws {
        guard ids.isEmpty != filter.isEmpty else {
            throw ValidationError(
                ids.isEmpty
                    ? "Name jobs by their ids, or by a filter such as --tube." : "Ids and a filter exclude each other.")
        }
    }

    /// Does it.
    /// `asksForIds`: Whether named jobs are asked about too: what cannot be undone.
    func run(_ action: JobAction, to tube: String? = nil, priority: Int64? = nil, asksForIds: Bool) async throws {
        let command = action.rawValue
        try await reporting(command) {
            let client = try listener.client()
            if ids.isEmpty {
                try await runFiltered(action, tube, priority, client)
            } else {
                if asksForIds {
                    let which = ids.count == 1 ? "job \(ids[0])" : Figures.jobs(ids.count)
                    try confirmation.ask("\(command.capitalized) \(which)?", command)
                }
                try await runNamed(action, tube, priority, client)
            }
        }
    }

    private func runNamed(_ action: JobAction, _ tube: String?, _ priority: Int64?, _ client: AdminClient) async throws
    {
        var all = ActionAnswer(changed: 0)
        for start in stride(from: 0, to: ids.count, by: Self.portion) {
            let portion = Array(ids[start..<min(start + Self.portion, ids.count)])
            let answer = try await client.act(
                action, JobActionRequest(ids: portion, tube: tube, priority: priority))
            all.changed += answer.changed
            if let skipped = answer.skipped, !skipped.isEmpty { all.skipped = (all.skipped ?? []) + skipped }
        }
        let answer = all
        try printer.show(answer) { [Line(action.sentence(answer))] }
        // Who names a job wants it done.
        if answer.changed < ids.count { throw Failure(status: .failure) }
    }

    private func runFiltered(
        _ action: JobAction, _ tube: String?, _ priority: Int64?, _ client: AdminClient
    ) async throws {
        let filter = try filter.filter
        let count = try await client.count(filter)
        guard count.count > 0 else {
            let answer = ActionAnswer(changed: 0)
            return try printer.show(answer) { [Line("There is no such job: \(filter.sentence).")] }
        }
        let jobs = (count.isPartial ? "at least " : "") + Figures.jobs(Int(count.count))
        let target = tube.map { " to \(PlainText.line($0))" } ?? ""
        try confirmation.ask(
            "\(action.rawValue.capitalized) \(jobs) (\(filter.sentence))\(target)?", action.rawValue)
        let operation = try await client.start(
            OperationRequest(
                action: action, filter: filter, expectedCount: count.count, tube: tube, priority: priority))
        try await OperationFollower(client: client, printer: printer).follow(operation)
    }
}
