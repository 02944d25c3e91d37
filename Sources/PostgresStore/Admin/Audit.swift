public import AdminAPI
import Foundation

struct AuditColumns: RowColumns {
    let id: Column<Int64>
    let at: Column<Timestamp>
    let viewer: Column<String>
    let action: Column<String>
    let object: Column<String>
    let arguments: Column<String>
    let changed: Column<Int64>
    let error: Column<String>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        at = column("at")
        viewer = column("viewer")
        action = column("action")
        object = column("object")
        arguments = column("arguments")
        changed = column("changed")
        error = column("error")
    }
}

/// Something that a viewer asked for, as the audit has it.
public struct AuditRecord: Sendable {
    public var viewer: String
    public var action: String
    public var object: String
    /// As JSON.
    public var arguments: String?

    public init(viewer: String, action: String, object: String, arguments: String?) {
        self.viewer = viewer
        self.action = action
        self.object = object
        self.arguments = arguments
    }
}

extension AdminStore {
    /// What was done through the listener, newest first.
    public func audit(before: Int64?, limit: Int) async throws -> [AuditEntry] {
        try await read { connection in
            var parameters = Parameters()
            parameters.add(optional: before)
            parameters.add(Int32(limit))
            return try connection.ask(.auditEntries, parameters).auditEntries
        }
    }
}

extension Connection {
    func audit(_ record: AuditRecord, changed: Int64?, error: String? = nil) throws {
        var parameters = Parameters()
        parameters.add(record.viewer)
        parameters.add(record.action)
        parameters.add(record.object)
        parameters.add(optional: record.arguments.map { String($0.prefix(10_000)) })
        parameters.add(optional: changed)
        parameters.add(optional: error)
        _ = try ask(.addAudit, parameters)
        _ = try ask(.trimAudit)
    }

    func auditEvents(ofJob id: Int64) throws -> [TimelineEvent] {
        var parameters = Parameters()
        parameters.add("job \(id)")
        return try ask(.auditOfObject, parameters).auditEntries.filter { $0.changed != 0 }.map {
            TimelineEvent(at: $0.at, event: "action", text: "\($0.action) by \($0.viewer)")
        }
    }
}

extension Rows {
    var auditEntries: [AuditEntry] {
        let column = columns(AuditColumns.self)
        return indices.map { row in
            AuditEntry(
                id: self[row, column.id], at: self[row, column.at].date, viewer: self[row, column.viewer],
                action: self[row, column.action], object: self[row, column.object],
                arguments: optional(row, column.arguments), changed: optional(row, column.changed),
                error: optional(row, column.error))
        }
    }
}
