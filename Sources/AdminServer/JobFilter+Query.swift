import AdminAPI
import QueueCore

extension JobFilter {
    static let parameters = [
        "tube", "state", "id_from", "id_to", "priority_from", "priority_to", "created_after", "created_before",
        "older_than", "body",
    ]
    static let states = ["ready", "reserved", "delayed", "buried"]

    init(_ query: Query) throws {
        self.init(
            tube: try query.value("tube"), state: try query.value("state"), idFrom: try query.integer("id_from"),
            idTo: try query.integer("id_to"), priorityFrom: try query.integer("priority_from"),
            priorityTo: try query.integer("priority_to"), createdAfter: try query.date("created_after"),
            createdBefore: try query.date("created_before"), olderThan: try query.number("older_than"),
            body: query.text("body"))
        try check()
    }

    /// Refuses values that no job can have.
    func check() throws {
        if let tube, tube != "*" {
            guard TubeName(tube.hasSuffix("*") ? String(tube.dropLast()) : tube) != nil else {
                throw Problem.noTubeName(tube)
            }
        }
        if let state, !JobFilter.states.contains(state) {
            throw Problem(
                status: 400, title: "\(state.prefix(100)) is no state.",
                hint: "The states are \(JobFilter.states.joined(separator: ", ")).")
        }
        if [idFrom, idTo, priorityFrom, priorityTo].contains(where: { ($0 ?? 0) < 0 }) {
            throw Problem(status: 400, title: "Ids and priorities are not negative.")
        }
        if let olderThan, !(0...1e10).contains(olderThan) {
            throw Problem(status: 400, title: "older_than is no number of seconds.")
        }
        if let body, body.utf8.count > 1000 {
            throw Problem(status: 400, title: "The text to look for in bodies is longer than 1000 bytes.")
        }
    }
}
