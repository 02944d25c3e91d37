public import AdminAPI
import Foundation

/// What lies over the screen and takes the keys.
enum Dialog: Hashable, Sendable {
    case help
    case prompt(Prompt)
    /// The jobs of an action on a filter are being counted.
    case counting(Act)
    /// A question that is answered with y or N.
    case confirm(question: String, Command)
}

/// A line of text that is being written.
struct Prompt: Hashable, Sendable {
    enum Purpose: Hashable, Sendable {
        case filterTubes
        case searchBodies
        case move(Act)
        case priority(Act)
        case delay(Act)
        case pause(tube: String)
    }

    var label: String
    var text = ""
    let purpose: Purpose
}

/// An action on jobs that is being put together.
struct Act: Hashable, Sendable {
    enum Target: Hashable, Sendable {
        case ids([Int64])
        case filter(JobFilter)
    }

    let action: JobAction
    let target: Target
    var tube: String?
    var priority: Int64?
    var delaySeconds: Int64?

    /// The question that precedes it.
    func question(_ count: Int, isPartial: Bool = false) -> String {
        let jobs = isPartial ? "at least \(Figures.jobs(count))" : Figures.jobs(count)
        let which: String =
            switch target {
            case .ids(let ids): ids.count == 1 ? "job \(ids[0])" : jobs
            case .filter(let filter): "\(jobs) (\(filter.sentence))"
            }
        return switch action {
        case .kick: "Kick \(which)?"
        case .delete: "Delete \(which)?"
        case .bury: "Bury \(which)?"
        case .move: "Move \(which) to \(Cells.clean(tube ?? ""))?"
        case .priority: "Set the priority of \(which) to \(priority ?? 0)?"
        case .delay: "Delay \(which) by \(delaySeconds ?? 0) s?"
        }
    }

    /// What does it, on so many jobs.
    func command(count: Int64) -> Command {
        switch target {
        case .ids(let ids):
            .jobs(
                action,
                JobActionRequest(ids: ids, tube: tube, priority: priority, delaySeconds: delaySeconds))
        case .filter(let filter):
            .start(
                OperationRequest(
                    action: action, filter: filter, expectedCount: count, tube: tube, priority: priority,
                    delaySeconds: delaySeconds))
        }
    }
}

extension JobAction {
    /// `kicked`, for a sentence in the past.
    public var past: String {
        switch self {
        case .kick: "kicked"
        case .delete: "deleted"
        case .bury: "buried"
        case .move: "moved"
        case .priority: "given another priority"
        case .delay: "delayed"
        }
    }
}

extension JobFilter {
    /// What it asks for, as clean text: `tube mail, buried, body has "x"`.
    public var sentence: String {
        var parts: [String] = []
        if let tube { parts.append("tube \(Cells.clean(tube))") }
        if let state { parts.append(Cells.clean(state)) }
        if let range = Self.range(idFrom, idTo) { parts.append("id \(range)") }
        if let range = Self.range(priorityFrom, priorityTo) { parts.append("priority \(range)") }
        if let createdAfter { parts.append("created after \(createdAfter.formatted(.iso8601))") }
        if let createdBefore { parts.append("created before \(createdBefore.formatted(.iso8601))") }
        if let olderThan { parts.append("older than \(Figures.age(olderThan))") }
        if let body { parts.append("body has \"\(Cells.clean(body))\"") }
        return parts.isEmpty ? "all tubes" : parts.joined(separator: ", ")
    }

    private static func range(_ from: Int64?, _ to: Int64?) -> String? {
        switch (from, to) {
        case (nil, nil): nil
        case (let from?, nil): "\(from) and up"
        case (nil, let to?): "up to \(to)"
        case (let from?, let to?): from == to ? "\(from)" : "\(from) to \(to)"
        }
    }
}
