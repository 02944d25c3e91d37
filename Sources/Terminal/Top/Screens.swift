import AdminAPI

/// What is looked at. Screens lie on a stack: escape goes back to the one before.
enum Screen: Sendable {
    case tubes(TubesScreen)
    case jobs(JobsScreen)
    case job(JobScreen)
    case holders(ListScreen<JobSummary>)
    case brokers(ListScreen<BrokerEntry>)
    case clients(ListScreen<ClientEntry>)
    case warnings(ListScreen<WarningEntry>)
}

/// All tubes.
struct TubesScreen: Sendable {
    var page: TubePage?
    var filter = ""
    var order = TubeOrder.worst
    var isReversed = false
    var cursor = Cursor()

    var tubes: [TubeSummary] { page?.tubes ?? [] }
    var selected: TubeSummary? { tubes.indices.contains(cursor.row) ? tubes[cursor.row] : nil }

    /// Takes a new page. The cursor stays on its tube, unless it is on the first row: there it shows what comes first.
    mutating func take(_ page: TubePage, height: Int) {
        let name = cursor.row > 0 ? selected?.name : nil
        self.page = page
        if let name, let row = tubes.firstIndex(where: { $0.name == name }) { cursor.row = row }
        cursor.clamp(count: tubes.count, height: height)
    }
}

/// The orders of tubes, with their keys. Numbers begin with the largest.
enum TubeOrder: String, CaseIterable, Sendable {
    case worst, name, ready, reserved, delayed, buried, `in`, out, oldest

    var key: Character {
        switch self {
        case .worst: "W"
        case .name: "N"
        case .ready: "R"
        case .reserved: "V"
        case .delayed: "D"
        case .buried: "B"
        case .in: "I"
        case .out: "O"
        case .oldest: "A"
        }
    }
}

/// Jobs that match a filter, a page at a time.
struct JobsScreen: Sendable {
    var filter: JobFilter
    var page: JobPage?
    var tube: TubeDetail?
    /// The `after` of this page and of those before it; nil for the first.
    var pages: [String?] = [nil]
    var cursor = Cursor()
    /// Ids of the jobs that are marked.
    var marked: Set<Int64> = []
    /// Actions are for all jobs that match the filter.
    var isAllMarked = false

    var jobs: [JobSummary] { page?.jobs ?? [] }
    var selected: JobSummary? { jobs.indices.contains(cursor.row) ? jobs[cursor.row] : nil }

    mutating func take(_ page: JobPage, _ tube: TubeDetail?, height: Int) {
        let id = cursor.row > 0 ? selected?.id : nil
        self.page = page
        self.tube = tube
        if let id, let row = jobs.firstIndex(where: { $0.id == id }) { cursor.row = row }
        cursor.clamp(count: jobs.count, height: height)
    }

    /// Shows other jobs.
    mutating func change(_ body: (inout JobFilter) -> Void) {
        body(&filter)
        (page, pages, cursor, marked, isAllMarked) = (nil, [nil], Cursor(), [], false)
    }
}

/// One job.
struct JobScreen: Sendable {
    let id: Int64
    var detail: JobDetail?
    /// The first line of it that is shown.
    var top = 0
}

/// A list without a state of its own.
struct ListScreen<Entry: Sendable>: Sendable {
    var entries: [Entry]?
    var total = 0
    var cursor = Cursor()

    var selected: Entry? { entries.flatMap { $0.indices.contains(cursor.row) ? $0[cursor.row] : nil } }

    mutating func take(_ entries: [Entry], total: Int? = nil, height: Int) {
        self.entries = entries
        self.total = total ?? entries.count
        cursor.clamp(count: entries.count, height: height)
    }
}
