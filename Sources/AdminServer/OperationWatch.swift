import AdminAPI

import struct AdminAPI.Operation

/// The newest operations, read for all streams of events at once: each second while this broker runs one, and every 5 s
/// else.
actor OperationWatch {
    private var operations: [Operation] = []
    private var readAt: ContinuousClock.Instant?

    func newest(isBusy: Bool, _ read: @Sendable () async throws -> [Operation]) async -> [Operation] {
        let limit: Duration = isBusy ? .milliseconds(900) : .seconds(5)
        if let readAt, .now - readAt < limit { return operations }
        readAt = .now
        if let new = try? await read() { operations = new }
        return operations
    }
}
