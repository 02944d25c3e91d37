import QueueCore

/// Removes tubes that nobody needs, some at a time.
///
/// Another broker or a SQL session may be about to put into one of them. So the tubes are marked first, which puts see.
/// Then the puts are waited for that may have begun before, and then the tubes that are still empty are deleted.
struct TubeRemoval {
    private static let interval = Span.seconds(5)
    /// The pause within a pass: the keeper has other things to do.
    private static let pause = Span.milliseconds(10)
    /// The pause after puts that did not end in time.
    private static let longPause = Span.seconds(20)
    /// The number of tubes that are looked at in one go.
    private static let limit: Int64 = 300

    var next = Instant(nanoseconds: 0)
    /// The snapshots of the beginnings of this pass and of the one before: a tube that has changed since `before` stays.
    private var seen = (now: "", before: "")
    /// The pass goes on after this tube; `nil` when a new pass is to begin.
    private var place: (changed: String, tube: TubeID)?

    mutating func look(epoch: Int64, _ client: any StoreClient, _ connection: Connection) throws {
        guard next <= client.now() else { return }
        next = client.now() + TubeRemoval.interval
        if place == nil {
            let snapshot = try connection.execute(.snapshot)
            seen = (snapshot[0, snapshot.columns(SnapshotColumns.self).snapshot], seen.now)
        }
        guard !seen.before.isEmpty else { return }
        let from = place ?? ("0", 0)
        var parameters = Parameters()
        parameters.add(from.changed)
        parameters.add(from.tube)
        parameters.add(seen.before)
        parameters.add(TubeRemoval.limit)
        let rows = try connection.execute(.emptyTubes, parameters)
        let column = rows.columns(EmptyTubeColumns.self)
        let last = rows.count - 1
        place = rows.count < TubeRemoval.limit ? nil : (rows[last, column.changed], rows[last, column.tube])
        if place != nil { next = client.now() + TubeRemoval.pause }
        let tubes = client.unneeded(rows.indices.map { rows[$0, column.tube] })
        if !tubes.isEmpty, try !remove(tubes, epoch, client, connection) {
            place = nil
            next = client.now() + TubeRemoval.longPause
        }
    }

    /// - Returns: False if a put or a call of SQL did not end in time.
    private func remove(
        _ tubes: [TubeID], _ epoch: Int64, _ client: any StoreClient, _ connection: Connection
    ) throws -> Bool {
        var those = Parameters()
        those.add(epoch)
        those.add(int4s: tubes)
        _ = try connection.execute(.markTubes, those)
        guard try awaitOthers(connection) else {
            _ = try connection.execute(.unmarkTubes, those)
            return false
        }
        client.removed(try connection.execute(.removeTubes, those).values(TubeID.self))
        return true
    }

    /// Waits for the SQL calls and batches that may have found the tubes before they were marked; false if that takes too
    /// long.
    private func awaitOthers(_ connection: Connection) throws -> Bool {
        do {
            let isQuiet = try connection.inTransaction(Statement.limitLockWait) {
                try connection.execute(.holdOffSQL).value(Bool.self)
            }
            guard isQuiet else { return false }
            try connection.inTransaction(Statement.limitLockWait) { _ = try connection.execute(.awaitPuts) }
            return true
        } catch let error as StoreError where error.isLockTimeout {
            return false
        }
    }
}

struct EmptyTubeColumns: RowColumns {
    let tube: Column<TubeID>
    let changed: Column<String>

    init(_ column: inout ColumnFinder) {
        tube = column("tube_id")
        changed = column("changed")
    }
}
