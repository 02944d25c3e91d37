/// An event that no fault excuses.
struct Violation: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case lost = "a job is lost"
        case left = "a job is left that nobody was given"
        case doubled = "one put became two jobs"
        case doublyDeleted = "a job was deleted twice"
        case resurrected = "a job came back after DELETED"
        case overlapping = "two clients held a job at once"
        case wrongBody = "a job does not have the body that was put"
        case refusedYetDone = "a refused command was done"
        case falseAnswer = "an answer is false"
        case noRecovery = "service did not come back"
        case brokerCrash = "a broker has crashed"
    }

    var kind: Kind
    /// The id of the job, if the violation concerns one.
    var id: UInt64?
    var what: String

    var description: String {
        "\(kind.rawValue): \(id.map { "job \($0), " } ?? "")\(what)"
    }
}
