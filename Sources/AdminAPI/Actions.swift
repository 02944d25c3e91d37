public import Foundation

/// What can be done to jobs: one (`POST /jobs/ID/kick`), a list (`POST /jobs/kick` with `ids`), or all that match a filter
/// (`POST /operations`).
public enum JobAction: String, Codable, Hashable, Sendable, CaseIterable {
    case kick, delete, bury, move, priority, delay
}

/// The body of `POST /jobs/ACTION` and of `POST /jobs/ID/ACTION`, where `ids` is absent.
public struct JobActionRequest: Codable, Hashable, Sendable {
    /// Up to 1000.
    public var ids: [Int64]?
    /// For `move`.
    public var tube: String?
    /// For `priority`, and for `bury` if it shall change.
    public var priority: Int64?
    /// For `delay`.
    public var delaySeconds: Int64?

    public init(ids: [Int64]? = nil, tube: String? = nil, priority: Int64? = nil, delaySeconds: Int64? = nil) {
        self.ids = ids
        self.tube = tube
        self.priority = priority
        self.delaySeconds = delaySeconds
    }
}

/// The answer to an action.
public struct ActionAnswer: Codable, Hashable, Sendable {
    /// The number of jobs that were changed.
    public var changed: Int
    /// Jobs that were left as they are, with the reason: reserved, not buried, gone.
    public var skipped: [SkippedJob]?
    /// True: the time of the request was over, and there is more to do. Ask again.
    public var isPartial: Bool?

    public init(changed: Int, skipped: [SkippedJob]? = nil, isPartial: Bool? = nil) {
        self.changed = changed
        self.skipped = skipped
        self.isPartial = isPartial
    }
}

/// A job that an action has left as it is.
public struct SkippedJob: Codable, Hashable, Sendable {
    public var id: Int64
    public var reason: String

    public init(id: Int64, reason: String) {
        self.id = id
        self.reason = reason
    }
}

/// The bodies of `POST /tubes/NAME/kick`, `clear`, `pause` and `unpause`.
public struct TubeActionRequest: Codable, Hashable, Sendable {
    /// For `kick` and `clear`: at most so many jobs; absent: all.
    public var upTo: Int64?
    /// For `clear`: only jobs of this state.
    public var state: String?
    /// For `pause`.
    public var seconds: Int64?

    public init(upTo: Int64? = nil, state: String? = nil, seconds: Int64? = nil) {
        self.upTo = upTo
        self.state = state
        self.seconds = seconds
    }
}

/// The answer to `POST /jobs/count`, whose body is a `JobFilter`.
public struct JobCount: Codable, Hashable, Sendable {
    public var count: Int64
    /// The count stopped here, since its time was over: there are at least so many.
    public var isPartial: Bool

    public init(count: Int64, isPartial: Bool) {
        self.count = count
        self.isPartial = isPartial
    }
}

/// `POST /operations`: an action on all jobs that match a filter. It runs in batches, can be stopped and goes on where it
/// was, also after a restart, by `POST /operations/ID/resume`.
public struct OperationRequest: Codable, Hashable, Sendable {
    public var action: JobAction
    public var filter: JobFilter
    /// The count that the viewer has confirmed. If there are more now, nothing is done (409). The operation ends after so
    /// many jobs.
    public var expectedCount: Int64
    /// As in `JobActionRequest`.
    public var tube: String?
    public var priority: Int64?
    public var delaySeconds: Int64?

    public init(
        action: JobAction, filter: JobFilter, expectedCount: Int64, tube: String? = nil, priority: Int64? = nil,
        delaySeconds: Int64? = nil
    ) {
        self.action = action
        self.filter = filter
        self.expectedCount = expectedCount
        self.tube = tube
        self.priority = priority
        self.delaySeconds = delaySeconds
    }
}

/// An operation and how far it has come. `GET /operations`, `GET /operations/ID`; the event `operation`.
public struct Operation: Codable, Hashable, Sendable {
    public var id: Int64
    public var request: OperationRequest
    /// `running`, `stopped`, `done` or `failed`.
    public var state: String
    public var changed: Int64
    public var skipped: Int64
    /// The id up to which it has come.
    public var reachedId: Int64?
    public var startedAt: Date
    public var startedBy: String?
    public var updatedAt: Date
    /// Why it failed.
    public var error: String?

    public init(
        id: Int64, request: OperationRequest, state: String, changed: Int64, skipped: Int64, reachedId: Int64?,
        startedAt: Date, startedBy: String?, updatedAt: Date, error: String?
    ) {
        self.id = id
        self.request = request
        self.state = state
        self.changed = changed
        self.skipped = skipped
        self.reachedId = reachedId
        self.startedAt = startedAt
        self.startedBy = startedBy
        self.updatedAt = updatedAt
        self.error = error
    }
}

/// `GET /audit`: what was done through the admin listener, newest first.
public struct AuditEntry: Codable, Hashable, Sendable {
    public var id: Int64
    public var at: Date
    /// Who: the name of the viewer, or the address.
    public var viewer: String
    public var action: String
    /// The tube, the job or the operation.
    public var object: String
    /// The arguments, as JSON.
    public var arguments: String?
    public var changed: Int64?
    /// Absent if it was done.
    public var error: String?

    public init(
        id: Int64, at: Date, viewer: String, action: String, object: String, arguments: String?, changed: Int64?,
        error: String?
    ) {
        self.id = id
        self.at = at
        self.viewer = viewer
        self.action = action
        self.object = object
        self.arguments = arguments
        self.changed = changed
        self.error = error
    }
}
