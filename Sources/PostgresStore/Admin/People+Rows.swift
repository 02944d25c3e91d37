import AdminAPI
import Foundation

struct AdminBrokerColumns: RowColumns {
    let epoch: Column<Int64>
    let host: Column<String>
    let pid: Column<Int32>
    let startedAt: Column<Timestamp>
    let heartbeatAt: Column<Timestamp>
    let isAlive: Column<Bool>
    let isSole: Column<Bool>
    let maxJobSize: Column<Int64>

    init(_ column: inout ColumnFinder) {
        epoch = column("epoch")
        host = column("host")
        pid = column("pid")
        startedAt = column("started_at")
        heartbeatAt = column("heartbeat_at")
        isAlive = column("is_alive")
        isSole = column("is_sole")
        maxJobSize = column("max_job_size")
    }
}

struct AdminPolicyColumns: RowColumns {
    let tube: Column<String>
    let buryAfterTimeouts: Column<Int32>
    let buryAfterReleases: Column<Int32>
    let maxReady: Column<Int64>
    let historySeconds: Column<Double>
    let historyBody: Column<Bool>

    init(_ column: inout ColumnFinder) {
        tube = column("tube")
        buryAfterTimeouts = column("bury_after_timeouts")
        buryAfterReleases = column("bury_after_releases")
        maxReady = column("max_ready")
        historySeconds = column("history_seconds")
        historyBody = column("history_body")
    }
}

struct AdminWarningColumns: RowColumns {
    let warning: Column<String>
    let object: Column<String>
    let since: Column<Timestamp>
    let amount: Column<Int64>
    let unit: Column<String>
    let hint: Column<String>

    init(_ column: inout ColumnFinder) {
        warning = column("warning")
        object = column("object")
        since = column("since")
        amount = column("amount")
        unit = column("unit")
        hint = column("hint")
    }
}

struct EndedJobColumns: RowColumns {
    let id: Column<Int64>
    let tube: Column<String>
    let state: Column<Int16>
    let priority: Column<Int64>
    let ttr: Column<Int64>
    let createdAt: Column<Timestamp>
    let firstReservedAt: Column<Timestamp>
    let lastReservedAt: Column<Timestamp>
    let finishedAt: Column<Timestamp>
    let finishedMicroseconds: Column<Int64>
    let reserves: Column<Int32>
    let timeouts: Column<Int32>
    let releases: Column<Int32>
    let buries: Column<Int32>
    let kicks: Column<Int32>
    let body: Column<[UInt8]>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        tube = column("tube")
        state = column("state")
        priority = column("priority")
        ttr = column("ttr")
        createdAt = column("created_at")
        firstReservedAt = column("first_reserved_at")
        lastReservedAt = column("last_reserved_at")
        finishedAt = column("finished_at")
        finishedMicroseconds = column("finished_microseconds")
        reserves = column("reserves")
        timeouts = column("timeouts")
        releases = column("releases")
        buries = column("buries")
        kicks = column("kicks")
        body = column("body")
    }
}

/// The place of a job in the order of the history.
struct EndedKeyColumns: RowColumns {
    let finishedMicroseconds: Column<Int64>
    let id: Column<Int64>

    init(_ column: inout ColumnFinder) {
        finishedMicroseconds = column("finished_microseconds")
        id = column("id")
    }
}

/// A row of the history.
struct EndedJob {
    var entry: HistoryEntry
    var ttr: Int64
    var body: [UInt8]?
    /// With the id, its place in the order of the history.
    var finishedMicroseconds: Int64
}

extension Rows {
    var brokers: [BrokerEntry] {
        let column = columns(AdminBrokerColumns.self)
        return indices.map { row in
            BrokerEntry(
                epoch: self[row, column.epoch], host: self[row, column.host], pid: Int(self[row, column.pid]),
                startedAt: self[row, column.startedAt].date, heartbeatAt: self[row, column.heartbeatAt].date,
                isAlive: self[row, column.isAlive], isSole: self[row, column.isSole], isThis: false,
                maxJobSize: optional(row, column.maxJobSize))
        }
    }

    var policies: [Policy] {
        let column = columns(AdminPolicyColumns.self)
        return indices.map { row in
            Policy(
                tube: self[row, column.tube], buryAfterTimeouts: optional(row, column.buryAfterTimeouts).map(Int.init),
                buryAfterReleases: optional(row, column.buryAfterReleases).map(Int.init),
                maxReady: optional(row, column.maxReady).map(Int.init),
                historySeconds: optional(row, column.historySeconds), historyBody: self[row, column.historyBody])
        }
    }

    var warnings: [WarningEntry] {
        let column = columns(AdminWarningColumns.self)
        return indices.map { row in
            WarningEntry(
                warning: self[row, column.warning], object: self[row, column.object],
                since: optional(row, column.since)?.date, amount: optional(row, column.amount),
                unit: optional(row, column.unit), hint: self[row, column.hint])
        }
    }

    var endedJobs: [EndedJob] {
        let column = columns(EndedJobColumns.self)
        return indices.map { row in
            let state = self[row, column.state]
            let first = optional(row, column.firstReservedAt)?.date
            let last = optional(row, column.lastReservedAt)?.date
            let created = self[row, column.createdAt].date
            let finished = self[row, column.finishedAt].date
            let entry = HistoryEntry(
                id: self[row, column.id], tube: self[row, column.tube], outcome: state == 3 ? "finished" : "deleted",
                state: JobSummary.name(of: state), priority: self[row, column.priority], createdAt: created,
                firstReservedAt: first, lastReservedAt: last, finishedAt: finished,
                waitedSeconds: first.map { $0.timeIntervalSince(created) },
                workedSeconds: state == 3 ? last.map { finished.timeIntervalSince($0) } : nil,
                reserves: Int(self[row, column.reserves]), timeouts: Int(self[row, column.timeouts]),
                releases: Int(self[row, column.releases]), buries: Int(self[row, column.buries]),
                kicks: Int(self[row, column.kicks]))
            return EndedJob(
                entry: entry, ttr: self[row, column.ttr], body: optional(row, column.body),
                finishedMicroseconds: self[row, column.finishedMicroseconds])
        }
    }
}

extension JobSummary {
    /// A job that has ended.
    init(_ ended: EndedJob) {
        let entry = ended.entry
        self.init(
            id: entry.id, tube: entry.tube, state: entry.state, priority: entry.priority, ttrSeconds: ended.ttr,
            delaySeconds: 0, createdAt: entry.createdAt, readyAt: entry.createdAt, reservedAt: nil, reservedUntil: nil,
            reserves: entry.reserves, timeouts: entry.timeouts, releases: entry.releases, buries: entry.buries,
            kicks: entry.kicks, key: nil, bodyBytes: ended.body?.count ?? 0,
            preview: ended.body.flatMap { JobSummary.preview(Array($0.prefix(1024))) }, holder: nil)
    }
}
