public import Foundation

/// Which jobs: those that match every value that is there. As query of `GET /jobs`, and as JSON in an `OperationRequest`.
public struct JobFilter: Codable, Hashable, Sendable {
    /// The name of a tube; a name that ends in `*` stands for all tubes that begin so.
    public var tube: String?
    /// `ready`, `reserved`, `delayed` or `buried`.
    public var state: String?
    public var idFrom: Int64?
    public var idTo: Int64?
    public var priorityFrom: Int64?
    public var priorityTo: Int64?
    public var createdAfter: Date?
    public var createdBefore: Date?
    /// Older than so many seconds.
    public var olderThan: Double?
    /// The body contains this text, as it is written.
    public var body: String?

    public init(
        tube: String? = nil, state: String? = nil, idFrom: Int64? = nil, idTo: Int64? = nil,
        priorityFrom: Int64? = nil, priorityTo: Int64? = nil, createdAfter: Date? = nil, createdBefore: Date? = nil,
        olderThan: Double? = nil, body: String? = nil
    ) {
        self.tube = tube
        self.state = state
        self.idFrom = idFrom
        self.idTo = idTo
        self.priorityFrom = priorityFrom
        self.priorityTo = priorityTo
        self.createdAfter = createdAfter
        self.createdBefore = createdBefore
        self.olderThan = olderThan
        self.body = body
    }
}

/// `GET /jobs`: jobs in the order of their ids, paged by key.
public struct JobPage: Codable, Hashable, Sendable {
    public var jobs: [JobSummary]
    /// The `after` of the next page; absent on the last one. A page may be short, or empty, and still have a next one: the
    /// search stops when its time is over.
    public var next: String?
    /// The id up to which the search has come.
    public var searchedTo: Int64?

    public init(jobs: [JobSummary], next: String?, searchedTo: Int64?) {
        self.jobs = jobs
        self.next = next
        self.searchedTo = searchedTo
    }
}

/// A job in a table.
public struct JobSummary: Codable, Hashable, Sendable {
    public var id: Int64
    public var tube: String
    public var state: String
    public var priority: Int64
    public var ttrSeconds: Int64
    public var delaySeconds: Int64
    public var createdAt: Date
    /// When it became ready, or will.
    public var readyAt: Date
    public var reservedAt: Date?
    public var reservedUntil: Date?
    public var reserves: Int
    public var timeouts: Int
    public var releases: Int
    public var buries: Int
    public var kicks: Int
    public var key: String?
    public var bodyBytes: Int
    /// The beginning of the body, up to 200 characters, if it is text.
    public var preview: String?
    public var holder: Holder?

    public init(
        id: Int64, tube: String, state: String, priority: Int64, ttrSeconds: Int64, delaySeconds: Int64,
        createdAt: Date, readyAt: Date, reservedAt: Date?, reservedUntil: Date?, reserves: Int, timeouts: Int,
        releases: Int, buries: Int, kicks: Int, key: String?, bodyBytes: Int, preview: String?, holder: Holder?
    ) {
        self.id = id
        self.tube = tube
        self.state = state
        self.priority = priority
        self.ttrSeconds = ttrSeconds
        self.delaySeconds = delaySeconds
        self.createdAt = createdAt
        self.readyAt = readyAt
        self.reservedAt = reservedAt
        self.reservedUntil = reservedUntil
        self.reserves = reserves
        self.timeouts = timeouts
        self.releases = releases
        self.buries = buries
        self.kicks = kicks
        self.key = key
        self.bodyBytes = bodyBytes
        self.preview = preview
        self.holder = holder
    }
}

/// Who has a job: a client of a broker, or a SQL session.
public struct Holder: Codable, Hashable, Sendable {
    /// The epoch, host and process of the broker whose client has it.
    public var broker: Int64?
    public var brokerHost: String?
    public var brokerPid: Int?
    /// The address of the client, if it is a client of the broker that answers.
    public var client: String?
    /// The session with PostgreSQL, its login, and the holder that it has named.
    public var sqlSession: Int?
    public var sqlLogin: String?
    public var sqlHolder: Int64?

    public init(
        broker: Int64? = nil, brokerHost: String? = nil, brokerPid: Int? = nil, client: String? = nil,
        sqlSession: Int? = nil, sqlLogin: String? = nil, sqlHolder: Int64? = nil
    ) {
        self.broker = broker
        self.brokerHost = brokerHost
        self.brokerPid = brokerPid
        self.client = client
        self.sqlSession = sqlSession
        self.sqlLogin = sqlLogin
        self.sqlHolder = sqlHolder
    }
}

/// `GET /jobs/ID`. A job that has ended is found too, if its tube keeps history: then `ended` is there.
public struct JobDetail: Codable, Hashable, Sendable {
    public var job: JobSummary
    /// At most 256 KiB of it; `GET /jobs/ID/body` has all. Absent if history does not keep it.
    public var body: JobBody?
    /// What is known to have happened, oldest first.
    public var timeline: [TimelineEvent]
    public var ended: HistoryEntry?

    public init(job: JobSummary, body: JobBody?, timeline: [TimelineEvent], ended: HistoryEntry?) {
        self.job = job
        self.body = body
        self.timeline = timeline
        self.ended = ended
    }
}

/// A body in JSON.
public struct JobBody: Codable, Hashable, Sendable {
    /// `utf-8` or `base64`.
    public var encoding: String
    public var data: String
    /// The bytes of the whole body.
    public var bytes: Int
    public var isTruncated: Bool

    public init(encoding: String, data: String, bytes: Int, isTruncated: Bool) {
        self.encoding = encoding
        self.data = data
        self.bytes = bytes
        self.isTruncated = isTruncated
    }
}

/// Something that happened to a job.
public struct TimelineEvent: Codable, Hashable, Sendable {
    public var at: Date
    /// `put`, `ready`, `first_reserved`, `last_reserved`, `reserved`, `lease_ends`, `action` or `ended`.
    public var event: String
    /// In a sentence, for people: `reserved for the 3rd time by 10.0.0.7:5123`.
    public var text: String

    public init(at: Date, event: String, text: String) {
        self.at = at
        self.event = event
        self.text = text
    }
}

/// `POST /jobs`: a job to put.
public struct PutRequest: Codable, Hashable, Sendable {
    public var tube: String
    /// The body as text, or in base64: one of the two.
    public var body: String?
    public var bodyBase64: String?
    public var priority: Int64?
    public var delaySeconds: Int64?
    public var ttrSeconds: Int64?
    public var key: String?

    public init(
        tube: String, body: String? = nil, bodyBase64: String? = nil, priority: Int64? = nil,
        delaySeconds: Int64? = nil, ttrSeconds: Int64? = nil, key: String? = nil
    ) {
        self.tube = tube
        self.body = body
        self.bodyBase64 = bodyBase64
        self.priority = priority
        self.delaySeconds = delaySeconds
        self.ttrSeconds = ttrSeconds
        self.key = key
    }
}

/// The answer to `POST /jobs`.
public struct PutAnswer: Codable, Hashable, Sendable {
    public var id: Int64

    public init(id: Int64) { self.id = id }
}
