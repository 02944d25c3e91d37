import QueueCore

/// Removes tubes that nobody needs, a part at a time.
///
/// Another broker, or a SQL session, may just be about to put into one of them. So they are marked first, which puts
/// see; then those are waited for that may have begun before; and then what is still empty goes.
struct TubeRemoval {
    private static let every = Span.seconds(5)
    /// As long as there is more. The keeper has other things to do.
    private static let pause = Span.milliseconds(10)
    /// When somebody has not ended in time.
    private static let patience = Span.seconds(20)
    /// Tubes that are looked at in one go.
    private static let limit: Int64 = 300

    var next = Instant(nanoseconds: 0)
    /// What there was when the pass began, and when the one before did: tubes that have changed since that are too
    /// young to go.
    private var seen = (now: "", before: "")
    /// Those before have been looked at in this pass.
    private var place: (changed: String, tube: TubeID)?

    mutating func look(epoch: Int64, _ client: any StoreClient, _ connection: Connection) throws {
        guard next <= client.now() else { return }
        next = client.now() + TubeRemoval.every
        if place == nil { seen = (try connection.execute(.news).string(0, 0), seen.now) }
        guard !seen.before.isEmpty else { return }
        let from = place ?? ("0", 0)
        var parameters = Parameters()
        parameters.add(from.changed)
        parameters.add(from.tube)
        parameters.add(seen.before)
        parameters.add(TubeRemoval.limit)
        let rows = try connection.execute(.emptyTubes, parameters)
        let last = rows.count - 1
        place = rows.count < TubeRemoval.limit ? nil : (rows.string(last, 1), rows.int32(last, 0))
        if place != nil { next = client.now() + TubeRemoval.pause }
        let tubes = client.unneeded((0..<rows.count).map { rows.int32($0, 0) })
        if !tubes.isEmpty, try !remove(tubes, epoch, client, connection) {
            place = nil
            next = client.now() + TubeRemoval.patience
        }
    }

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
        let gone = try connection.execute(.removeTubes, those)
        client.removed((0..<gone.count).map { gone.int32($0, 0) })
        return true
    }

    /// Waits until all have ended who may have found the tubes before they were marked; false if that takes too long.
    private func awaitOthers(_ connection: Connection) throws -> Bool {
        do {
            let isQuiet = try connection.inTransaction {
                try connection.run("set local lock_timeout to '200ms'")
                return try connection.execute(.holdOffSQL).bool(0, 0)
            }
            guard isQuiet else { return false }
            try connection.inTransaction {
                try connection.run("set local lock_timeout to '200ms'")
                _ = try connection.execute(.awaitPuts)
            }
            return true
        } catch let error as StoreError where error.isLockTimeout {
            return false
        }
    }
}
