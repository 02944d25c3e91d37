public import AdminAPI
import Foundation

public import struct AdminAPI.Operation

extension AdminStore {
    /// Notes a new operation, with the epoch of the broker that will run it. The caller runs it.
    public func add(
        _ request: OperationRequest, epoch: Int64, viewer: String, audit record: AuditRecord
    ) async throws -> Operation {
        let count = try await count(request.filter)
        guard count.count <= request.expectedCount else {
            throw Problem(
                status: 409,
                title: "There are \(count.count)\(count.isPartial ? " or more" : "") such jobs, more than the "
                    + "\(request.expectedCount) that were confirmed.",
                hint: "Count them again (POST jobs/count), and confirm that number.")
        }
        let text = String(decoding: try AdminAPI.encoder().encode(request), as: UTF8.self)
        return try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(request.action.rawValue)
            parameters.add(text)
            parameters.add(epoch)
            parameters.add(viewer)
            let rows = try connection.ask(.addOperation, parameters)
            // Its broker may have registered a moment ago: the answer says that it runs.
            var operation = rows.operations[0]
            operation.state = "running"
            _ = try connection.ask(.trimOperations)
            return (operation, nil)
        }
    }

    /// The newest operations.
    public func operations() async throws -> [Operation] {
        try await read { try $0.operations(nil) }
    }

    public func operation(_ id: Int64) async throws -> Operation {
        try await read { connection in
            guard let operation = try connection.operations(id).first else { throw Problem.notFound("operation \(id)") }
            return operation
        }
    }

    /// Stops an operation after the batch that is under way.
    public func stop(operation id: Int64, audit record: AuditRecord) async throws -> Operation {
        try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(id)
            if let stopped = try connection.ask(.stopOperation, parameters).operations.first { return (stopped, nil) }
            guard let operation = try connection.operations(id).first else { throw Problem.notFound("operation \(id)") }
            return (operation, nil)
        }
    }

    /// Takes over an operation that was stopped or that has lost its broker. The caller runs it.
    public func resume(operation id: Int64, epoch: Int64, audit record: AuditRecord) async throws -> Operation {
        try await audited(record) { connection in
            var parameters = Parameters()
            parameters.add(id)
            parameters.add(epoch)
            if var resumed = try connection.ask(.resumeOperation, parameters).operations.first {
                resumed.state = "running"
                return (resumed, nil)
            }
            guard let operation = try connection.operations(id).first else { throw Problem.notFound("operation \(id)") }
            throw Problem(status: 409, title: "Operation \(id) is \(operation.state), so it cannot go on.")
        }
    }
}

struct OperationColumns: RowColumns {
    let id: Column<Int64>
    let request: Column<String>
    let state: Column<String>
    let changed: Column<Int64>
    let skipped: Column<Int64>
    let reachedID: Column<Int64>
    let startedAt: Column<Timestamp>
    let startedBy: Column<String>
    let updatedAt: Column<Timestamp>
    let error: Column<String>

    init(_ column: inout ColumnFinder) {
        id = column("id")
        request = column("request")
        state = column("state")
        changed = column("changed")
        skipped = column("skipped")
        reachedID = column("reached_id")
        startedAt = column("started_at")
        startedBy = column("started_by")
        updatedAt = column("updated_at")
        error = column("error")
    }
}

extension Connection {
    fileprivate func operations(_ id: Int64?) throws -> [Operation] {
        var parameters = Parameters()
        parameters.add(optional: id)
        return try ask(.operations, parameters).operations
    }
}

extension Rows {
    var operations: [Operation] {
        guard count > 0 else { return [] }
        let column = columns(OperationColumns.self)
        return indices.compactMap { row in
            let text = Data(self[row, column.request].utf8)
            guard let request = try? AdminAPI.decoder().decode(OperationRequest.self, from: text) else { return nil }
            let reached = self[row, column.reachedID]
            return Operation(
                id: self[row, column.id], request: request, state: self[row, column.state],
                changed: self[row, column.changed], skipped: self[row, column.skipped],
                reachedId: reached > 0 ? reached : nil, startedAt: self[row, column.startedAt].date,
                startedBy: self[row, column.startedBy], updatedAt: self[row, column.updatedAt].date,
                error: optional(row, column.error))
        }
    }
}
