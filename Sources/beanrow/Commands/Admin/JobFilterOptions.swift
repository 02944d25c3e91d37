import AdminAPI
import ArgumentParser
import Foundation

/// Which jobs: those that match all that is given.
struct JobFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Jobs of this tube; NAME* means all tubes that begin so.", valueName: "name"))
    var tube: String?

    @Option(help: ArgumentHelp("Jobs in this state: ready, reserved, delayed or buried.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Jobs from this id on.", valueName: "id"))
    var idFrom: Int64?

    @Option(help: ArgumentHelp("Jobs up to this id.", valueName: "id"))
    var idTo: Int64?

    @Option(help: ArgumentHelp("Jobs from this priority on.", valueName: "number"))
    var priorityFrom: Int64?

    @Option(help: ArgumentHelp("Jobs up to this priority.", valueName: "number"))
    var priorityTo: Int64?

    @Option(help: ArgumentHelp("Jobs put at this time or later, such as 2026-01-31T12:00:00Z.", valueName: "time"))
    var createdAfter: String?

    @Option(help: ArgumentHelp("Jobs put before this time.", valueName: "time"))
    var createdBefore: String?

    @Option(help: ArgumentHelp("Jobs older than this: 90, 90s, 5m, 2h or 3d.", valueName: "time"))
    var olderThan: String?

    @Option(help: ArgumentHelp("Jobs whose body contains this text.", valueName: "text"))
    var body: String?

    var isEmpty: Bool { (try? filter) == JobFilter() }

    func validate() throws { _ = try filter }

    var filter: JobFilter {
        get throws {
            if let state, !["ready", "reserved", "delayed", "buried"].contains(state) {
                throw ValidationError("--state takes ready, reserved, delayed or buried.")
            }
            return JobFilter(
                tube: tube, state: state, idFrom: idFrom, idTo: idTo, priorityFrom: priorityFrom,
                priorityTo: priorityTo, createdAfter: try Self.time(createdAfter, "--created-after"),
                createdBefore: try Self.time(createdBefore, "--created-before"),
                olderThan: try olderThan.map { try Self.seconds($0, "--older-than") }, body: body)
        }
    }

    private static func time(_ text: String?, _ option: String) throws -> Date? {
        guard let text else { return nil }
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), .iso8601] {
            if let date = try? Date(text, strategy: style) { return date }
        }
        throw ValidationError("\(option) takes a time such as 2026-01-31T12:00:00Z.")
    }

    static func seconds(_ text: String, _ option: String) throws -> Double {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text[...] : text.dropLast()), number.isFinite, number >= 0 else {
            throw ValidationError("\(option) takes a time such as 90, 90s, 5m, 2h or 3d.")
        }
        return number * (unit ?? 1)
    }
}
