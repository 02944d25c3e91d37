import AdminAPI
import Foundation
import QueueCore

/// The columns of `Statement.jobSummaries`.
struct JobSummaryColumns: RowColumns {
    let id: Column<Int64>
    let tube: Column<String>
    let state: Column<Int16>
    let priority: Column<Int64>
    let ttr: Column<Int64>
    let delay: Column<Int64>
    let createdAt: Column<Timestamp>
    let readyAt: Column<Timestamp>
    let reservedAt: Column<Timestamp>
    let reservedUntil: Column<Timestamp>
    let firstReservedAt: Column<Timestamp>
    let lastReservedAt: Column<Timestamp>
    let reserves: Column<Int32>
    let timeouts: Column<Int32>
    let releases: Column<Int32>
    let buries: Column<Int32>
    let kicks: Column<Int32>
    let key: Column<String>
    let bodyBytes: Column<Int32>
    let preview: Column<[UInt8]>
    let broker: Column<Int64>
    let brokerHost: Column<String>
    let brokerPID: Column<Int32>
    let sqlSession: Column<Int32>
    let sqlLogin: Column<String>
    let sqlHolder: Column<Int64>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        tube = column("tube")
        state = column("state")
        priority = column("priority")
        ttr = column("ttr")
        delay = column("delay")
        createdAt = column("created_at")
        readyAt = column("ready_at")
        reservedAt = column("reserved_at")
        reservedUntil = column("reserved_until")
        firstReservedAt = column("first_reserved_at")
        lastReservedAt = column("last_reserved_at")
        reserves = column("reserves")
        timeouts = column("timeouts")
        releases = column("releases")
        buries = column("buries")
        kicks = column("kicks")
        key = column("key")
        bodyBytes = column("body_bytes")
        preview = column("preview")
        broker = column("broker")
        brokerHost = column("broker_host")
        brokerPID = column("broker_pid")
        sqlSession = column("sql_session")
        sqlLogin = column("sql_login")
        sqlHolder = column("sql_holder")
    }
}

struct BodyColumns: RowColumns {
    let body: Column<[UInt8]>
    let bytes: Column<Int32>

    init(_ column: inout ColumnFinder) {
        body = column("body")
        bytes = column("bytes")
    }
}

struct StoredCountColumns: RowColumns {
    let ready: Column<Int64>
    let delayed: Column<Int64>
    let buried: Column<Int64>

    init(_ column: inout ColumnFinder) {
        ready = column("ready")
        delayed = column("delayed")
        buried = column("buried")
    }
}

extension Rows {
    var jobSummaries: [(job: JobSummary, firstReservedAt: Date?, lastReservedAt: Date?)] {
        guard count > 0 else { return [] }
        let column = columns(JobSummaryColumns.self)
        return indices.map { row in
            var job = JobSummary(
                id: self[row, column.id], tube: self[row, column.tube],
                state: JobSummary.name(of: self[row, column.state]),
                priority: self[row, column.priority], ttrSeconds: self[row, column.ttr],
                delaySeconds: self[row, column.delay], createdAt: self[row, column.createdAt].date,
                readyAt: self[row, column.readyAt].date, reservedAt: optional(row, column.reservedAt)?.date,
                reservedUntil: optional(row, column.reservedUntil)?.date, reserves: Int(self[row, column.reserves]),
                timeouts: Int(self[row, column.timeouts]), releases: Int(self[row, column.releases]),
                buries: Int(self[row, column.buries]), kicks: Int(self[row, column.kicks]),
                key: optional(row, column.key), bodyBytes: Int(self[row, column.bodyBytes]),
                preview: JobSummary.preview(self[row, column.preview]), holder: nil)
            if let broker = optional(row, column.broker) {
                job.holder = Holder(
                    broker: broker, brokerHost: optional(row, column.brokerHost),
                    brokerPid: optional(row, column.brokerPID).map(Int.init))
            } else if let session = optional(row, column.sqlSession) {
                job.holder = Holder(
                    sqlSession: Int(session), sqlLogin: optional(row, column.sqlLogin),
                    sqlHolder: optional(row, column.sqlHolder))
            }
            return (
                job, optional(row, column.firstReservedAt)?.date, optional(row, column.lastReservedAt)?.date
            )
        }
    }
}

extension JobSummary {
    /// The names of states in the API. 3 stands for reserved.
    static let states = ["ready", "delayed", "buried", "reserved"]

    static func number(ofState name: String) -> Int16? { states.firstIndex(of: name).map { Int16($0) } }

    static func name(of state: Int16) -> String {
        states.indices.contains(Int(state)) ? states[Int(state)] : "unknown"
    }

    /// The beginning of a body, if it is text. The last character of a part may be cut off, and is left out.
    static func preview(_ bytes: [UInt8]) -> String? {
        var bytes = bytes[...]
        if bytes.count == 1024 {
            for _ in 0..<3 where String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        }
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else { return nil }
        return String(text.unicodeScalars.prefix(200))
    }
}

extension Timestamp {
    /// The nearest time that RFC 3339 can say: PostgreSQL has `infinity` and years beyond 9999.
    var date: Date {
        Date(
            timeIntervalSince1970: min(max(Double(microseconds) / 1e6 + 946_684_800, -62_135_596_800), 253_402_300_799))
    }
}

extension Date {
    var microseconds: Int64 { Int64(max(-1e17, min(3e17, (timeIntervalSince1970 * 1e6).rounded()))) }
}
